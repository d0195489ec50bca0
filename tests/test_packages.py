"""Servers on well-known packages are graded as any: each gets the findings of docs/*/packages.md, and no others."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path

import pytest

import lab
from lab.backends.processes import Processes
from lab.check import Subject
from lab.check.grading import Grader
from tests.conftest import require
from tests.test_docs import page
from tests.test_gallery import got_exactly_its_findings

SERVERS = tuple(sorted(path.stem for path in (Path(lab.__file__).parent / "servers" / "packages").glob("[a-z]*.py")))
LOCK = Path(lab.__file__).parent.parent / "requirements" / "packages.lock"
PACKAGES = {
    "ariadne_subscription": "ariadne",
    "blacksheep_echo": "blacksheep",
    "broadcaster_chat": "broadcaster",
    "django_channels": "channels",
    "falcon_echo": "falcon",
    "fasthtml_members": "fasthtml",
    "litestar_channels": "litestar",
    "mcp_session": "mcp",
    "nicegui_page": "nicegui",
    "pubsub_topics": "fastapi_websocket_pubsub",
    "pycrdt_room": "pycrdt",
    "quart_echo": "quart",
    "rpc_methods": "fastapi_websocket_rpc",
    "socketio_events": "socketio",
    "strawberry_subscription": "strawberry",
}
"""What each is built on, as it is imported."""


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", SERVERS)
def test_a_server_on_a_package_gets_exactly_its_findings(name: str, processes: Processes) -> None:
    if importlib.util.find_spec(PACKAGES[name]) is None:
        require("packages", f"{PACKAGES[name]} is not installed: make packages")
    app = f"lab.servers.packages.{name}"
    with Grader(Subject(app=f"{app}:app", **importlib.import_module(app).subject), processes) as grader:
        got_exactly_its_findings("packages", name, grader.grade())


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_page_names_every_server_and_the_versions_that_are_installed(language: str) -> None:
    text = page(language, "packages.md")
    assert sorted(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == list(SERVERS)
    locked = set(re.findall(r"^([\w-]+==[\w.]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE))
    told = set(re.findall(r"`([\w-]+==[\w.]+)`", text))
    assert len(told) >= len(SERVERS)
    assert told <= locked
