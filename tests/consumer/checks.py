"""What a user of the plugin writes."""

from lab.pytest_plugin import Hangup
from lab.verdict import Outcome


def test_a_server_that_cleans_up(hangup: Hangup) -> None:
    report = hangup.check("myserver:app")
    assert report.outcome is Outcome.HELD
    assert [played.name for played in report.played] == ["close", "kill"]


def test_a_server_that_forgets_only_those_who_say_goodbye(hangup: Hangup) -> None:
    hangup.check("myserver.py:leaky")
