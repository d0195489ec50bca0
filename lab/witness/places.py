"""Where a file of code lies: in the standard library, among what was installed, in the lab, or in none of them.

Paths are plain strings here: a survey asks for a thousand modules, and a `Path` costs it ten times as much.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from contextlib import suppress
from functools import cache
from pathlib import Path

Folders = tuple[str, ...]
"""Folders, each with a separator at its end: what starts with one lies in it, and not beside it."""


def folders(*paths: str | Path) -> Folders:
    """Those folders, as they are written and with their links resolved: an import may show the one or the other."""
    written = [str(Path(path).absolute()) for path in paths]
    known = {one.rstrip(os.sep) for path in written for one in (path, os.path.realpath(path))}
    return tuple(sorted(f"{one}{os.sep}" for one in known))


def resolved(path: str) -> str:
    """A file's path with the links of its folder resolved."""
    folder, separator, name = path.rpartition(os.sep)
    return f"{_real(folder)}{separator}{name}"


@cache
def _real(folder: str) -> str:
    return os.path.realpath(folder) if folder else ""


_STANDARD = folders(*(sysconfig.get_path(key) for key in ("stdlib", "platstdlib")))
_PACKAGES = folders(*(sysconfig.get_path(key) for key in ("purelib", "platlib")))
_INSTALLED = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
_LAB = folders(*sys.modules[__name__.partition(".")[0]].__path__)


def is_installed(path: str) -> bool:
    """Whether a file is among an environment's packages."""
    return any(name in path for name in _INSTALLED) or path.startswith(_PACKAGES)


def is_standard(path: str) -> bool:
    """Whether a file is the standard library's."""
    return path.startswith(_STANDARD) and not is_installed(path)


def is_the_labs(path: str) -> bool:
    """Whether a file is in the lab's own package: not beside it, nor in a folder whose name begins as the lab's."""
    return path.startswith(_LAB)


def is_foreign(path: str) -> bool:
    """Whether a file is any of these, as it is written or behind a link."""
    return any(is_installed(one) or one.startswith((*_STANDARD, *_LAB)) for one in (path, resolved(path)))


def of_the_lab(part: str) -> tuple[Path, ...]:
    """A part of the lab, such as its servers: its folders."""
    return tuple(Path(one, part) for one in _LAB)


def part_of_the_lab(path: str) -> str:
    """The part of the lab that a file is in; "" if it is not in the lab."""
    inside = (path.removeprefix(one) for one in _LAB if path.startswith(one))
    return next(inside, "").partition(os.sep)[0]


def is_in_an_environment(path: str, root: str) -> bool:
    """Whether others' packages were installed into a folder between a file and the project's folder it lies in.

    That folder itself may be an environment: some make one of it.
    """
    folder = os.path.dirname(path)  # noqa: PTH120  # see above
    while len(folder) > len(root):
        if _is_environment(folder):
            return True
        folder = os.path.dirname(folder)  # noqa: PTH120
    return False


@cache
def _is_environment(folder: str) -> bool:
    """Whether it is a virtual environment, conda's, or where `pip --target` put something."""
    with suppress(OSError):
        names = os.listdir(folder)  # noqa: PTH208  # the names are all that is wanted
        return any(name in ("pyvenv.cfg", "conda-meta") or name.endswith(".dist-info") for name in names)
    return False
