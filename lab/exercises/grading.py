"""How a step's server is graded: by `lab check`, on the step's cases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lab.exercises import Step
from lab.reports import Report

Grade = Callable[[Step, Path], Report]
"""Grades the server in a file on a step's cases. Raises StageError where it cannot be started."""


def grade_step(step: Step, server: Path) -> Report:
    """The real one."""
    from lab.check import Subject, grade

    app = str(server)
    if not step.rows_sql:
        return grade(Subject(app=app), cases=step.cases)
    subject = Subject(
        app=app,
        env={"DATABASE": "{folder}/rows.sqlite3"},
        rows_url="sqlite:///{folder}/rows.sqlite3",
        rows_sql=step.rows_sql,
    )
    return grade(subject, cases=step.cases)
