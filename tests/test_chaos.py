"""A short form of `make chaos`: what it plays of each kind must break nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.timeout(400)
def test_chaos_breaks_nothing() -> None:
    command = [sys.executable, "-m", "tests.chaos", "--short", "--seed", "1"]
    chaos = subprocess.run(command, env=os.environ | {"LAB_LANG": "en"}, capture_output=True, text=True, check=False)
    assert chaos.returncode == 0, chaos.stdout + chaos.stderr
    assert chaos.stdout.endswith("\n0 broke\n")
