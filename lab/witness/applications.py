"""Finding the application to serve: `module:attribute` or `path/to/file.py[:attribute]`, or a factory of one.

A file in a package is imported by its full name, as by `module:attribute`: then both are the same application.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from lab.witness.asgi import ASGIApp
from lab.witness.routes import routes

__all__ = ["Application", "NoApplication", "load", "routes", "split"]


class NoApplication(LookupError):
    """There is no application of that name. The message is one line, fit to be shown."""


@dataclass(frozen=True, slots=True)
class Application:
    """An application and the module it comes from."""

    app: ASGIApp
    module: ModuleType

    @property
    def package(self) -> str:
        """The top-level package it belongs to."""
        return self.module.__name__.partition(".")[0]

    @property
    def interface(self) -> Literal["asgi3", "auto"]:
        """Whether it takes a scope, `receive` and `send`, so that uvicorn need not guess; its guess fails for some."""
        try:
            inspect.signature(self.app).bind(None, None, None)
        except (TypeError, ValueError):
            return "auto"
        return "asgi3"


def load(name: str, *, factory: bool = False) -> Application:
    """Import it. Whatever its module raises is raised.

    Raises:
        NoApplication: no such module, file or attribute, or what is there cannot be called.
    """
    module_name, attribute = split(name)
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    module = _from_file(Path(module_name)) if module_name.endswith(".py") else _import(module_name)
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise NoApplication(f"{module_name} has no attribute {attribute!r}")
        found = getattr(found, part)
    if factory or _is_factory(found):
        found = found()
    if not callable(found):
        raise NoApplication(f"{name} is no ASGI application: {type(found).__name__} cannot be called")
    return Application(found, module)


def split(name: str) -> tuple[str, str]:
    """Module or file, and attribute; the default attribute is `app`. A drive letter's colon separates nothing."""
    head, colon, attribute = name.rpartition(":")
    if not colon or name.endswith(".py") or (len(head) == 1 and attribute[:1] in ("\\", "/")):
        return name, "app"
    return head, attribute or "app"


def _is_factory(found: Any) -> bool:
    return inspect.isfunction(found) and not inspect.signature(found).parameters


def _import(name: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        raise NoApplication(f"there is no module {name!r}")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise  # something that it imports is missing
        raise NoApplication(f"there is no module {name!r}") from None


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise NoApplication(f"there is no file {path}")
    path = path.absolute()
    root, name = _packaged(path)
    if name != path.stem and _may_be_imported(name, root):
        sys.path[:] = [str(root), *sys.path, str(path.parent)]  # its own folder last: in a package it hides nothing
        return importlib.import_module(name)
    sys.path.insert(0, str(path.resolve().parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _packaged(path: Path) -> tuple[Path, str]:
    """The folder that a file's outermost package is in, and the file's full name as a module."""
    folder, name = path.parent, path.stem
    if name == "__init__":
        folder, name = folder.parent, folder.name
    while (folder / "__init__.py").is_file():
        folder, name = folder.parent, f"{folder.name}.{name}"
    return folder, name


def _may_be_imported(name: str, root: Path) -> bool:
    """Whether nothing else goes by its package's name already."""
    package = name.partition(".")[0]
    if package not in sys.modules:
        return True
    folders = getattr(sys.modules[package], "__path__", ())
    return any((root / package).samefile(one) for one in folders if Path(one).is_dir())
