"""The image of the actors is built again when something that it is made of has changed, and only then."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from pathlib import Path

import pytest
from docker.errors import APIError

from lab.backends.engine import Engine
from lab.backends.image import LABEL, context
from lab.backends.sweep import sweep_images
from tests.leftovers import client_of

COPIED = ("Dockerfile", "requirements/actors.lock", "lab/actors/client.py", "lab/words/en.toml")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What the Dockerfile copies."""
    for name in COPIED:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    "name", ["Dockerfile", "requirements/actors.lock", "lab/actors/client.py", "lab/words/en.toml"]
)
def test_a_change_of_what_is_copied_makes_another_image(name: str, clone: Path) -> None:
    before = context(clone)
    (clone / name).write_text("changed")
    assert context(clone) != before


def test_a_file_that_is_new_moved_or_gone_makes_another_image(clone: Path) -> None:
    seen = {context(clone)}
    (clone / "lab" / "new.py").write_text("")
    seen.add(context(clone))
    (clone / "lab" / "new.py").rename(clone / "lab" / "moved.py")
    seen.add(context(clone))
    (clone / "lab" / "actors" / "client.py").unlink()
    seen.add(context(clone))
    assert len(seen) == 4


def test_what_is_not_copied_makes_no_other_image(clone: Path) -> None:
    before = context(clone)
    (clone / "README.md").write_text("changed")
    cache = clone / "lab" / "actors" / "__pycache__"
    cache.mkdir()
    (cache / "client.pyc").write_bytes(b"compiled")
    assert context(clone) == before


@pytest.mark.timeout(120)
def test_an_image_of_ours_that_lost_its_name_is_swept_and_nobody_elses(docker_engine: Engine) -> None:
    tag, built = f"hangup-test-swept-{os.getpid()}", list[str]()
    with client_of(docker_engine) as client:
        try:
            for number, labels in enumerate(({LABEL: "test"}, {}, {LABEL: "test"})):
                recipe = f"FROM python:3.13-slim\nENV NUMBER={number}\n".encode()
                image, _ = client.images.build(fileobj=io.BytesIO(recipe), tag=tag, labels=labels, rm=True)
                built.append(str(image.id))
            assert sweep_images(client) >= 1
            there = {image.id for image in client.images.list(all=True)}
            assert [one in there for one in built] == [False, True, True]
        finally:
            for one in built:
                with suppress(APIError):
                    client.images.remove(one, force=True)
