"""Grading somebody's own server."""

from __future__ import annotations

from collections.abc import Iterable

from lab.check.subject import Subject
from lab.reports import Report

__all__ = ["Subject", "grade"]


def grade(subject: Subject, cases: Iterable[str] = ()) -> Report:
    """Grade a server: all cases, or those named.

    Raises:
        StageError: it cannot be started, or lets nobody in.
    """
    from lab.check.grading import Grader

    with Grader(subject) as grader:
        return grader.grade(tuple(cases))
