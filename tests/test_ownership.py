"""Whose code it is, wherever the application lies: installed, in a `src/`, in a namespace package, in no package."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest

import lab
from lab.servers import by_module
from lab.witness import code
from lab.witness.applications import Application, load
from lab.witness.ownership import Ownership, decide, decided

APP = "import sys\nasync def app(scope, receive, send): ...\ndef here(): return sys._getframe()\nclass Room: ...\n"
ON_THE_PATH = ("app", "company", "labserver", "myserver", "other", "rooms", "server", "shared", "tool", "made")


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    decide(None)
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ON_THE_PATH:
            del sys.modules[name]
    importlib.invalidate_caches()


def write(*paths: Path, text: str = APP) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def recorded(site: Path, name: str, *files: str) -> None:
    """What pip writes down of a distribution it has installed."""
    rows = [f"{file},sha256=AAAA,1\n" for file in (*files, f"{name}-1.0.dist-info/RECORD")]
    write(site / f"{name}-1.0.dist-info" / "RECORD", text="".join(rows))
    write(site / f"{name}-1.0.dist-info" / "METADATA", text=f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")


def on_the_path(*folders: Path) -> None:
    sys.path[:0] = [str(folder) for folder in folders]
    importlib.invalidate_caches()


def owned(name: str) -> Ownership:
    return Ownership.of(load(name))


def module(name: str) -> ModuleType:
    return importlib.import_module(name)


def test_an_installed_application_is_its_own_and_no_other_package_is(tmp_path: Path) -> None:
    site = tmp_path / "venv" / "lib" / "python3.11" / "site-packages"
    write(site / "myserver" / "__init__.py", text="")
    write(site / "myserver" / "main.py", site / "myserver" / "rooms.py", site / "other" / "__init__.py")
    recorded(site, "myserver", "myserver/__init__.py", "myserver/main.py", "myserver/rooms.py")
    recorded(site, "other", "other/__init__.py")
    on_the_path(site)
    ownership = owned("myserver.main:app")
    assert ownership.owns_module(module("myserver.rooms"))
    assert ownership.owns_file(str(site / "myserver" / "main.py"))
    assert not ownership.owns_module(module("other"))
    assert not ownership.owns_module(module("uvicorn"))


def test_what_was_installed_together_belongs_together(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    write(site / "server.py", site / "rooms.py", site / "other.py")
    recorded(site, "chat", "server.py", "rooms.py")
    on_the_path(site)
    ownership = owned("server:app")
    assert ownership.owns_module(module("rooms"))
    assert not ownership.owns_module(module("other"))


def test_an_installed_module_that_no_record_names_is_its_own_all_the_same(tmp_path: Path) -> None:
    site = tmp_path / "dist-packages"
    write(site / "server.py", site / "other.py")
    on_the_path(site)
    ownership = owned("server:app")
    assert ownership.owns_module(module("server"))
    assert not ownership.owns_module(module("other"))


@pytest.mark.parametrize("is_recorded", [True, False], ids=["recorded", "not recorded"])
def test_of_an_installed_namespace_package_only_the_application_s_part_is_its_own(
    tmp_path: Path, is_recorded: bool
) -> None:
    site = tmp_path / "site-packages"
    write(site / "company" / "service_a" / "__init__.py", site / "company" / "service_b" / "__init__.py", text="")
    write(site / "company" / "service_a" / "main.py", site / "company" / "service_b" / "main.py")
    if is_recorded:
        for one in ("a", "b"):
            recorded(site, f"company_{one}", f"company/service_{one}/__init__.py", f"company/service_{one}/main.py")
    on_the_path(site)
    ownership = owned("company.service_a.main:app")
    assert ownership.owns_module(module("company.service_a"))
    assert ownership.owns_class(module("company.service_a.main").Room)
    assert not ownership.owns_class(module("company.service_b.main").Room)
    assert not ownership.owns_name("company")


def test_of_a_namespace_package_in_two_folders_the_project_s_part_is_the_application_s(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "project" / "src", tmp_path / "elsewhere"
    write(mine / "company" / "service_a" / "main.py", theirs / "company" / "service_b" / "main.py")
    on_the_path(mine, theirs)
    ownership = owned("company.service_a.main:app")
    assert ownership.owns_module(module("company.service_a.main"))
    assert not ownership.owns_module(module("company.service_b.main"))


def test_with_a_src_layout_what_lies_in_the_project_is_the_application_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    project = tmp_path / "project"
    write(project / "src" / "myserver" / "__init__.py", text="")
    write(project / "src" / "myserver" / "main.py", project / "src" / "shared.py", project / "tool.py")
    on_the_path(project / "src", project)  # as an editable install does
    ownership = owned("myserver.main:app")
    assert ownership.owns_module(module("myserver.main"))
    assert ownership.owns_module(module("shared"))
    assert ownership.owns_module(module("tool"))
    assert not ownership.owns_file(str(tmp_path / "project2" / "tool.py"))


def test_a_file_in_no_package_owns_what_lies_beside_it(tmp_path: Path) -> None:
    write(tmp_path / "alone" / "server.py", tmp_path / "alone" / "rooms.py", tmp_path / "other" / "other.py")
    on_the_path(tmp_path / "other")
    ownership = owned(str(tmp_path / "alone" / "server.py"))
    assert ownership.owns_module(module("rooms"))
    assert not ownership.owns_module(module("other"))
    assert not ownership.owns_module(module("json"))


def test_what_lies_in_the_current_folder_is_the_application_s(tmp_path: Path) -> None:
    write(tmp_path / "project" / "server.py", tmp_path / "project" / "shared.py")
    ownership = owned("server:app")
    assert ownership.owns_module(module("shared"))


@pytest.mark.parametrize(
    "inside", [".venv/src/tool/tool.py", "deps/tool.py", ".venv/lib/python3.11/site-packages/tool.py"]
)
def test_what_is_installed_within_the_project_is_not_the_application_s(tmp_path: Path, inside: str) -> None:
    project = tmp_path / "project"
    write(project / "server.py", project / inside)
    write(project / ".venv" / "pyvenv.cfg", text="home = /usr/bin\n")
    write(project / "deps" / "tool-1.0.dist-info" / "METADATA", text="")
    ownership = owned("server:app")
    assert ownership.owns_module(module("server"))
    assert not ownership.owns_file(str(project / inside))


def test_an_environment_made_of_the_project_s_own_folder_makes_it_no_library(tmp_path: Path) -> None:
    write(tmp_path / "project" / "pyvenv.cfg", text="home = /usr/bin\n")
    write(tmp_path / "project" / "server.py", tmp_path / "project" / "parts" / "rooms.py")
    ownership = owned("server:app")
    assert ownership.owns_file(str(tmp_path / "project" / "parts" / "rooms.py"))


@pytest.fixture
def clone(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the lab's own package lies, as the current one."""
    folder = Path(lab.__file__).parent.parent
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("name", ["labserver.py", "lab_x/server.py", "labs/__init__.py"])
def test_what_is_only_called_as_the_lab_is_and_lies_beside_it_is_the_user_s(clone: Path, name: str) -> None:
    ownership = Ownership("server", *_roots(clone))
    assert ownership.owns_file(str(clone / name))
    assert code.is_ours(str(clone / name)), "before it is decided, too"


def _roots(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...], frozenset[str]]:
    return (f"{folder}{os.sep}",), (), frozenset()


@pytest.mark.usefixtures("clone")
def test_the_lab_is_not_the_application_s_though_it_lies_in_the_current_folder(tmp_path: Path) -> None:
    write(tmp_path / "server.py")
    ownership = owned(str(tmp_path / "server.py"))
    assert not ownership.owns_module(module("lab.actors.server"))
    assert not ownership.owns_module(module("lab.servers.reference.app"))


SAME = (
    "lab.servers.broken.row_left_open:app",
    "{lab}/servers/broken/row_left_open.py",
    "{lab}/servers/broken/row_left_open.py:app",
)


@pytest.mark.parametrize("name", SAME)
def test_the_lab_s_own_servers_are_the_same_application_by_path_and_by_module(clone: Path, name: str) -> None:
    application = load(name.format(lab=clone / "lab"))
    ownership = Ownership.of(application)
    assert application.module is module("lab.servers.broken.row_left_open")
    assert ownership.owns_module(application.module)
    assert ownership.owns_module(module("lab.servers.reference.manager"))
    assert not ownership.owns_module(module("lab.witness.code"))


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("lab/servers/broken/row_left_open.py", "lab.servers.broken.row_left_open:app"),
        ("lab/servers/correct/app_factory.py:create_app", "lab.servers.correct.app_factory:create_app"),
        ("lab.servers.correct.echo:app", "lab.servers.correct.echo:app"),
        ("lab/servers/broken/no_such.py", "lab/servers/broken/no_such.py"),
        ("labserver.py:app", "labserver.py:app"),
        ("my.pyserver:app", "my.pyserver:app"),
    ],
)
@pytest.mark.usefixtures("clone")
def test_a_server_of_the_lab_s_that_is_named_by_its_file_is_known_by_its_module(name: str, module: str) -> None:
    assert by_module(name) == module


def test_a_file_of_a_package_may_import_its_neighbours_either_way(tmp_path: Path) -> None:
    project = tmp_path / "project"
    write(project / "app" / "__init__.py", project / "app" / "rooms.py", text="")
    write(project / "app" / "main.py", text=f"from . import rooms\nimport rooms as again\n{APP}")
    application = load(str(project / "app" / "main.py"))
    assert application.module.__name__ == "app.main"
    assert Ownership.of(application).owns_module(application.module.rooms)


def test_a_file_of_a_package_whose_name_is_taken_is_served_by_its_own_name(tmp_path: Path) -> None:
    write(tmp_path / "json" / "__init__.py", text="")
    write(tmp_path / "json" / "server.py")
    assert load(str(tmp_path / "json" / "server.py")).module.__name__ == "server"


def test_a_link_to_the_project_is_the_project(tmp_path: Path) -> None:
    write(tmp_path / "real" / "server.py", tmp_path / "real" / "rooms.py")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    ownership = owned(str(tmp_path / "link" / "server.py"))
    assert ownership.owns_file(str(tmp_path / "real" / "rooms.py"))
    assert ownership.owns_file(str(tmp_path / "link" / "rooms.py"))


def test_code_made_from_text_is_of_the_module_it_was_made_in(tmp_path: Path) -> None:
    write(tmp_path / "project" / "server.py")
    ownership = owned("server:app")
    made = partial(exec, "def made(): return sys._getframe()")
    mine: dict[str, Any] = vars(module("server"))
    theirs: dict[str, Any] = {"__name__": "json", "sys": sys}
    nobody_s: dict[str, Any] = {"sys": sys}
    for namespace in (mine, theirs, nobody_s):
        made(namespace)
    assert [ownership.owns_frame(one["made"]()) for one in (mine, theirs, nobody_s)] == [True, False, False]
    assert [ownership.owns_function(one["made"]) for one in (mine, theirs, nobody_s)] == [True, False, False]
    assert not ownership.owns_code(mine["made"].__code__)


def test_a_module_without_a_file_is_what_its_package_is(tmp_path: Path) -> None:
    write(tmp_path / "project" / "server.py")
    ownership = owned("server:app")
    assert ownership.owns_module(ModuleType("server.plugins"))
    assert not ownership.owns_module(ModuleType("json.plugins"))
    assert not ownership.owns_module(ModuleType("plugins"))


def test_an_application_made_by_hand_is_its_own() -> None:
    made = ModuleType("made")
    ownership = Ownership.of(Application(lambda _scope, _receive, _send: None, made))  # type: ignore[arg-type,return-value]  # never called
    assert ownership.owns_module(made)


def test_a_lazy_module_is_not_woken_by_the_question() -> None:
    class Lazy(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise AssertionError(f"asked for {name}")

    sys.modules["other"] = Lazy("other")
    assert "other" not in {one.__name__ for one in decided().modules()}


@pytest.fixture
def installed(tmp_path: Path) -> ModuleType:
    """An installed application, which is decided to be the one that is served."""
    write(tmp_path / "site-packages" / "myserver" / "__init__.py")
    on_the_path(tmp_path / "site-packages")
    application = load("myserver:app")
    decide(Ownership.of(application))
    return application.module


def test_what_is_decided_is_what_everybody_is_told(installed: ModuleType) -> None:
    assert code.is_ours(str(installed.__file__))
    assert installed in set(code.user_modules())
    assert installed in set(code.user_modules("other"))
    decide(None)
    assert not code.is_ours(str(installed.__file__))
    assert installed not in set(code.user_modules())
    assert installed in set(code.user_modules("myserver"))


@pytest.mark.parametrize("say", [code.is_busy, code.stands], ids=["busy", "stands"])
def test_a_thread_in_an_installed_application_is_seen_in_it(
    installed: ModuleType, say: Callable[[FrameType | None], object]
) -> None:
    assert say(installed.here()) in (True, "here() at __init__.py:3")


THREADED = """
import threading, time
from fastapi import FastAPI, WebSocket

app = FastAPI()

def feed():
    while True:
        time.sleep(0.05)

@app.websocket("/ws")
async def ws(websocket: WebSocket):
    await websocket.accept()
    threading.Thread(target=feed, daemon=True).start()
    async for text in websocket.iter_text():
        await websocket.send_text(text)
"""


def graded(app: str, folder: Path, *more: Path) -> str:
    """What `lab check` says of the case `kill`, in a folder of its own."""
    clone = Path(lab.__file__).parent.parent
    clean = {key: value for key, value in os.environ.items() if not key.startswith("LAB_")}
    ours = {"LAB_HOME": str(folder / "home"), "LAB_LANG": "en", "PYTHONPATH": os.pathsep.join(map(str, (clone, *more)))}
    (folder / "here").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "lab", "check", app, "--case", "kill"],
        cwd=folder / "here",
        env=clean | ours,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        timeout=50,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    return done.stdout


def test_the_threads_of_an_installed_application_are_found(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    write(site / "myserver" / "__init__.py", text=THREADED)
    said = graded("myserver:app", tmp_path, site)
    assert "feed()" in said
    assert "__init__.py:9" in said


def test_a_server_of_the_lab_s_is_graded_by_its_file_as_by_its_module(tmp_path: Path) -> None:
    file = Path(lab.__file__).parent / "servers" / "broken" / "row_left_open.py"
    assert "database row" in graded(str(file), tmp_path)
    assert not list((tmp_path / "here").glob("*.sqlite3*")), "its database belongs into the run's own folder"
