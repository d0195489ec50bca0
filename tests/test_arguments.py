"""What a test says to `hangup.check` is looked at before anything is started."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from lab.arguments import SHAPES, mistake
from lab.check import Subject
from lab.words import LANGUAGES, Words


@pytest.mark.parametrize(
    ("said", "shape"),
    [
        ({"app": 7}, "str"),
        ({"cases": 3}, "str | list[str]"),
        ({"cases": [1]}, "str | list[str]"),
        ({"say": 5}, "str | bytes | list[str | bytes]"),
        ({"headers": "x"}, "dict[str, str] | list[tuple[str, str]]"),
        ({"replies": [("pattern",)]}, "dict[str, str] | list[tuple[str, str]]"),
        ({"env": {"A": 1}}, "dict[str, str]"),
        ({"real_time": "maybe"}, "bool"),
        ({"port": True}, "int"),
        ({"pings": "2"}, "float"),
        ({"allowed": "all"}, "Allowed"),
    ],
    ids=str,
)
def test_a_value_of_another_type_is_one_line_that_says_which_it_must_be(said: dict[str, Any], shape: str) -> None:
    wrong = mistake(said)
    assert wrong is not None
    (name,) = said
    assert (wrong.key, wrong.about["name"], wrong.about["shape"]) == ("wrong-argument", name, shape)
    for language in LANGUAGES:
        assert "\n" not in Words(language).fill("cli", wrong.key, **wrong.about)


def test_an_argument_that_there_is_not_is_one_line_with_those_that_there_are() -> None:
    wrong = mistake({"app": "x:app", "case": "kill"})
    assert wrong is not None
    assert (wrong.key, wrong.about["name"]) == ("no-argument", "case")
    assert "cases" in wrong.about["known"]


@pytest.mark.parametrize(
    "said",
    [
        {"app": "x:app", "cases": None, "flavour": None},
        {"say": "a", "cases": "kill,pause", "headers": {"A": "b"}, "replies": [("a", "b")], "env": {}},
        {"say": ["a", b"\x00"], "cases": ("kill",), "headers": [["A", "b"]], "pings": 2, "port": 80},
    ],
    ids=str,
)
def test_what_may_be_said_is_no_mistake(said: dict[str, Any]) -> None:
    assert mistake(said) is None


def test_whatever_a_subject_has_can_be_said() -> None:
    assert {field.name for field in dataclasses.fields(Subject)} <= set(SHAPES)
