"""Figures: what was measured, on which machine, and how it compares with what one would do instead."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | Mapping[str, Json] | None"

SCHEMA = 1
PACKAGES = ("fastapi", "starlette", "uvicorn", "websockets", "sqlalchemy", "aiosqlite", "docker", "testcontainers")
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured several times.

    Attributes:
        name: how programs call it.
        what: how people do.
        unit: `s`, `ms`, or "" for what is counted.
        against: the figure that it is compared with, of the same run; "" if with none.
        must: how many times that it may be at most; None if nobody says.
    """

    name: str
    what: str
    unit: str
    values: tuple[float, ...]
    against: str = ""
    must: float | None = None

    @property
    def median(self) -> float:
        """The one in the middle."""
        return statistics.median(self.values)

    @property
    def data(self) -> dict[str, Json]:
        """As JSON has it."""
        return {
            "what": self.what,
            "unit": self.unit,
            "min": min(self.values),
            "median": self.median,
            "max": max(self.values),
            "n": len(self.values),
            "against": self.against,
            "must": self.must,
        }

    def __str__(self) -> str:
        spread = f"({min(self.values):.3f} to {max(self.values):.3f}, n={len(self.values)})"
        return f"{self.what:<62} {self.median:9.3f} {self.unit:<3} {spread}"


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it was measured."""

    cores: int
    system: str
    python: str
    packages: dict[str, str]
    load: float

    @classmethod
    def here(cls) -> Machine:
        """This one, now."""
        found = {name: said for name in PACKAGES if (said := _version(name))}
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        system = f"{platform.system()} {platform.release().partition('-')[0]} {platform.machine()}"
        return cls(os.cpu_count() or 1, system, platform.python_version(), found, round(load, 2))


def report(figures: Iterable[Figure], machine: Machine) -> dict[str, Json]:
    """Everything, as JSON: each figure with its ratio."""
    by_name = {one.name: one for one in figures}
    rows: dict[str, Json] = {}
    for name, one in by_name.items():
        other = by_name.get(one.against)
        rows[name] = {**one.data, "ratio": round(one.median / other.median, 3) if other and other.median else None}
    return {
        "schema": SCHEMA,
        "commit": _commit(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": asdict(machine),
        "figures": rows,
    }


def store(path: Path, data: Mapping[str, Json]) -> None:
    """Write it."""
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Row:
    """A figure as it was stored."""

    name: str
    what: str
    unit: str
    low: float
    median: float
    high: float
    count: int
    against: str
    ratio: float | None
    must: float | None


@dataclass(frozen=True, slots=True)
class Stored:
    """A report that was read."""

    commit: str
    at: str
    machine: Machine
    rows: dict[str, Row]


def read(path: Path) -> Stored:
    """What store() wrote.

    Raises:
        ValueError: it is something else.
    """
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise ValueError(f"{path} holds no figures of schema {SCHEMA}")
    rows = {name: _row(name, one) for name, one in data["figures"].items()}
    return Stored(data["commit"], data["at"], Machine(**data["machine"]), rows)


def _row(name: str, one: dict[str, Any]) -> Row:
    low, median, high = (float(one[key]) for key in ("min", "median", "max"))
    return Row(name, one["what"], one["unit"], low, median, high, one["n"], one["against"], one["ratio"], one["must"])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _commit() -> str:
    """The commit of this clone; with a `+` if it holds changes that are in none."""
    ask = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        done = subprocess.run(ask, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def say(text: str) -> None:
    """Print, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
