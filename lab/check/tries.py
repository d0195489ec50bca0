"""How often a server was graded and found wanting: after the third time there is more to be told."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lab.paths import home


@dataclass(frozen=True, slots=True)
class Tries:
    """The tries of one subject, kept beside the runs. Losing them loses nothing but a hint."""

    subject: str
    file: Path

    @classmethod
    def of(cls, subject: str) -> Tries:
        """Those of a subject, by its name."""
        return cls(subject, home() / "tries.json")

    def one_more(self) -> int:
        """Count one; how many there were, this one included."""
        kept = self._read()
        kept[self.subject] = kept.get(self.subject, 0) + 1
        self._write(kept)
        return kept[self.subject]

    def forget(self) -> None:
        """It was mended."""
        kept = self._read()
        if kept.pop(self.subject, None) is not None:
            self._write(kept)

    def _read(self) -> dict[str, int]:
        try:
            kept = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return (
            {str(name): count for name, count in kept.items() if isinstance(count, int)}
            if isinstance(kept, dict)
            else {}
        )

    def _write(self, kept: dict[str, int]) -> None:
        with suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.file.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
