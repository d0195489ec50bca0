"""Whose code it is: one object decides, made once from the application that is served."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from lab.witness import places
from lab.witness.applications import Application


@dataclass(frozen=True, slots=True)
class Ownership:
    """Which code is the application's: its own package wherever that lies, and what lies beside it in the project.

    Attributes:
        name: the application's module.
        roots: the project's folders. What lies in them is the application's, unless it was installed there.
        own: folders that are the application's even if they were installed, or came with the lab.
        files: single files, likewise.
        others: modules that were imported before the application's: they are not its own, unless its package has them.
    """

    name: str
    roots: places.Folders
    own: places.Folders
    files: frozenset[str]
    others: frozenset[str] = frozenset()
    _known: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, application: Application, before: Collection[str] = ()) -> Ownership:
        """Of an application that was just loaded; the current folder is its project's, too.

        Args:
            before: the modules that were there before it was loaded.
        """
        module, roots = application.module, [Path.cwd()]
        place = _place(module.__name__, module)
        if place is None:
            own: Iterable[Path] = ()
        elif part := places.part_of_the_lab(str(_said(module, "__file__"))):
            own = places.of_the_lab(part)
        elif places.is_installed(str(place.file)):
            own = _distributed(place) or (place.path,)
        else:
            own = (place.path,)
            roots += [place.root, place.root.parent] if place.root.name == "src" else [place.root]
        package = module.__name__.partition(".")[0]
        others = frozenset(name for name in before if name.partition(".")[0] != package)
        return cls(module.__name__, places.folders(*roots), *_apart(own), others)

    @classmethod
    def undecided(cls, package: str = "") -> Ownership:
        """As long as no application is loaded: everything but Python, what is installed, and the lab's machinery."""
        place = _place(package, sys.modules.get(package))
        own = [*places.of_the_lab("servers"), *([place.path] if place else [])]
        return cls(package, places.folders(Path.cwd().anchor), *_apart(own))

    def owns_file(self, path: str) -> bool:
        """Whether a file of code is the application's. What has no file, as `<string>`, is nobody's."""
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = _is_absolute(path) and self._decide(path)
        return known

    def _decide(self, path: str) -> bool:
        ways = (path, places.resolved(path))
        if any(way in self.files or way.startswith(self.own) for way in ways):
            return True
        return not any(map(places.is_foreign, ways)) and any(map(self._is_in_the_project, ways))

    def _is_in_the_project(self, path: str) -> bool:
        root = max((one for one in self.roots if path.startswith(one)), key=len, default="")
        return bool(root) and not places.is_in_an_environment(path, root)

    def owns_code(self, code: CodeType) -> bool:
        """Whether a code object is the application's. Of one that was made from text only its frame can tell."""
        return self.owns_file(code.co_filename)

    def owns_frame(self, frame: FrameType) -> bool:
        """Whether a frame runs the application's code. What was made from text is of the module it was made in."""
        return self._owns(frame.f_code, frame.f_globals)

    def owns_function(self, function: FunctionType) -> bool:
        """Whether a function is the application's, as for frames."""
        return self._owns(function.__code__, function.__globals__)

    def _owns(self, code: CodeType, namespace: dict[str, Any]) -> bool:
        if _is_absolute(code.co_filename):
            return self.owns_file(code.co_filename)
        name = namespace.get("__name__")
        return isinstance(name, str) and self.owns_name(name)

    def owns_class(self, kind: type) -> bool:
        """Whether a class was defined in the application's code."""
        name: object = kind.__module__  # a property on a metaclass may say anything
        return isinstance(name, str) and self.owns_name(name)

    def owns_module(self, module: ModuleType) -> bool:
        """Whether a module is the application's. One that has no file is what its package is."""
        path, name = _said(module, "__file__"), _said(module, "__name__")
        if isinstance(path, str):
            return self.owns_file(path)
        return isinstance(name, str) and self._owns_without_file(name)

    def owns_name(self, name: str) -> bool:
        """Whether the module of that name is the application's."""
        path = _said(sys.modules.get(name), "__file__")
        return self.owns_file(path) if isinstance(path, str) else self._owns_without_file(name)

    def _owns_without_file(self, name: str) -> bool:
        parent = name.rpartition(".")[0]
        return name == self.name or (bool(parent) and self.owns_name(parent))

    def modules(self) -> Iterator[ModuleType]:
        """The application's modules that are imported now."""
        for name, module in list(sys.modules.items()):
            if name != "__main__" and name not in self.others and self.owns_module(module):
                yield module


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an application was imported from.

    Attributes:
        path: its package's folder, or its file if it is in no package. Of a namespace package, the part it is in.
        file: the file that shows it.
        root: the folder on `sys.path`.
    """

    path: Path
    file: Path
    root: Path


def _place(name: str, module: object) -> _Place | None:
    """The outermost package that has a file, else the module itself; None if it was imported from nowhere."""
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        one = module if depth == len(parts) else sys.modules.get(".".join(parts[:depth]))
        found = _said(one, "__file__")
        if isinstance(found, str):
            file = Path(found).absolute()
            folder = _said(one, "__path__") is not None
            path = file.parent if folder else file
            return _Place(path, file, path.parents[min(depth, len(path.parents)) - 1])
    return None


def _said(module: object, key: str) -> object:
    """What a module's namespace says; a lazy module is not woken by the question."""
    try:
        return object.__getattribute__(module, "__dict__").get(key)
    except AttributeError:
        return None


def _distributed(place: _Place) -> tuple[Path, ...]:
    """The code that was installed together with the application; nothing if no record says so."""
    row = f"\n{place.file.relative_to(place.root).as_posix()},"
    for distribution in metadata.distributions(path=[str(place.root)]):
        if row in f"\n{distribution.read_text('RECORD') or ''}":
            files = (place.root / file for file in distribution.files or ())
            return tuple(file for file in files if file.suffix in (".py", ".so", ".pyd"))
    return ()


def _apart(paths: Iterable[Path]) -> tuple[places.Folders, frozenset[str]]:
    """Folders, and single files."""
    known = {path: path.is_dir() for path in paths}
    files = [str(path) for path, is_folder in known.items() if not is_folder]
    whole = places.folders(*(path for path, is_folder in known.items() if is_folder))
    return whole, frozenset((*files, *map(places.resolved, files)))


def _is_absolute(path: str) -> bool:
    return os.path.isabs(path)  # noqa: PTH117  # asked for every frame of a survey; to make a Path takes 3 µs


_decided: list[Ownership] = []
"""The only state of the process here. Frames are named by plain functions, from threads, callbacks and walks that have
no object in hand; a process serves one application, so there is one answer, given before the first connection."""


def decide(ownership: Ownership | None) -> None:
    """From now on this is the process's answer. None takes it back."""
    _decided[:] = [ownership] if ownership else []


def decided(package: str = "") -> Ownership:
    """The process's answer; as long as there is none, the rules that need no application."""
    return _decided[0] if _decided else _undecided(package, package in sys.modules)


@cache
def _undecided(package: str, _imported: bool) -> Ownership:
    return Ownership.undecided(package)
