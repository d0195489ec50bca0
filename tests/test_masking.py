"""What a participant gives may be secret: neither timelines nor reports nor errors show it."""

from __future__ import annotations

import stat
from pathlib import Path
from urllib.parse import quote

import pytest

from lab.backends.actors import StageError
from lab.backends.processes import Processes
from lab.check import Subject
from lab.check.grading import Grader
from lab.check.masking import MASK, Masking
from lab.reports import data, grade, junit
from lab.words import Words

SECRETS = {
    "query": "Hunter2+Secret/=",
    "header": "S3cretT0ken",
    "cookie": "CookieSecret",
    "said": "SayItQuietly",
    "env": "EnvSecretX",
}
GIVEN = Subject(
    query=("user={name}", f"token={SECRETS['query']}"),
    headers=(("Authorization", f"Bearer {SECRETS['header']}"), ("Cookie", f"a=1; sid={SECRETS['cookie']}")),
    say=('{"auth": "' + SECRETS["said"] + '", "n": "{pad}"}',),
    env={"DBPASS": SECRETS["env"], "DEBUG": "true"},
)

INDISCREET = '''"""A server that tells everybody everything, and dies of nonsense while it does."""

import os

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()


@app.websocket("/ws")
async def tell(websocket: WebSocket):
    all_of_it = [dict(websocket.headers), dict(websocket.query_params), os.environ["DBPASS"]]
    await websocket.accept()
    try:
        while True:
            text = await websocket.receive_text()
            print(all_of_it, text)
            if "{not json" in text:
                raise ValueError(os.environ["DBPASS"])
            await websocket.send_text(f"{all_of_it} {text}")
    except WebSocketDisconnect:
        pass
'''
ONLY_ONCE = INDISCREET.replace(
    "app = FastAPI()",
    """try:
    os.mkdir(os.environ["LOCK"])
except FileExistsError:
    raise RuntimeError(os.environ["DBPASS"]) from None
app = FastAPI()""",
)
"""It starts for the first visit, and for no case."""

REFUSING = """import os
print(os.environ["DBPASS"])
raise RuntimeError(os.environ["DBPASS"])
"""


@pytest.mark.parametrize("secret", SECRETS.values())
def test_each_is_masked_as_it_is_and_as_a_url_has_it(secret: str) -> None:
    masking = Masking.of(GIVEN)
    for spelled in (secret, quote(secret), quote(secret, safe="")):
        assert masking.text(f"before {spelled} after") == f"before {MASK} after"


@pytest.mark.parametrize("text", ["true", "alice-1", "user=alice", "auth", "Bearer", "a=1"])
def test_what_is_short_or_nobodys_secret_is_shown(text: str) -> None:
    assert Masking.of(GIVEN).text(text) == text


def test_who_gives_nothing_masks_nothing() -> None:
    assert Masking.of(Subject()).pattern is None


def test_what_is_filled_for_each_client_is_masked_around_the_gaps() -> None:
    masking = Masking.of(Subject(query=("key=first-{name}-second-{n}",)))
    assert masking.text("key=first-alice-second-1") == f"key={MASK}alice{MASK}1"


@pytest.mark.timeout(60)
def test_no_report_and_no_file_shows_any_of_it(
    tmp_path: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "home"))
    server = tmp_path / "indiscreet.py"
    server.write_text(INDISCREET)
    subject = Subject(
        app=str(server), query=GIVEN.query, headers=GIVEN.headers, say=GIVEN.say, env={"DBPASS": SECRETS["env"]}
    )
    with Grader(subject, processes) as grader:
        report = grader.grade(("kill", "garbage"))
    words = Words("en")
    shown = [grade.render(report, words).plain, data.render(report, words), junit.render(report, words)]
    assert MASK in shown[0], "the error that it died of"
    files = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert len(files) == 2
    shown += [path.read_text(encoding="utf-8") for path in files]
    for secret in SECRETS.values():
        for text in shown:
            assert secret not in text
            assert quote(secret, safe="") not in text
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {stat.S_IMODE(path.parent.stat().st_mode) for path in files} == {0o700}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("first", ["", ONLY_ONCE], ids=["never", "only-once"])
def test_nor_does_the_log_of_a_server_that_does_not_start(first: str, tmp_path: Path, processes: Processes) -> None:
    server = tmp_path / "refusing.py"
    server.write_text(first or REFUSING)
    subject = Subject(app=str(server), env={"DBPASS": SECRETS["env"], "LOCK": str(tmp_path / "lock")})
    with Grader(subject, processes) as grader, pytest.raises(StageError) as refused:
        grader.grade(("kill",))
    assert any(MASK in line for line in refused.value.log)
    assert SECRETS["env"] not in "\n".join((str(refused.value), *refused.value.log))
