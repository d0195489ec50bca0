"""Where the lab keeps things."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import paths


def test_in_a_clone_it_is_the_clone_wherever_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAB_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert paths.home() == paths.ROOT / ".lab"


def test_installed_without_a_clone_it_is_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAB_HOME", raising=False)
    monkeypatch.setattr(paths, "ROOT", tmp_path / "site-packages")
    monkeypatch.chdir(tmp_path)
    assert paths.home() == tmp_path / ".lab"


def test_runs_of_the_same_second_have_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_HOME", str(tmp_path))
    monkeypatch.setattr("time.strftime", lambda _format: "20261125-120000")
    made = [paths.new_run() for _ in range(3)]
    assert sorted((tmp_path / "runs").iterdir()) == made


def test_the_oldest_runs_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_HOME", str(tmp_path))
    seconds = iter(range(100))
    monkeypatch.setattr("time.strftime", lambda _format: f"20261125-1200{next(seconds):02}")
    made = [paths.new_run() for _ in range(paths.KEPT + 2)]
    assert sorted((tmp_path / "runs").iterdir()) == made[2:]
