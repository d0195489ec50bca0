"""Sessions are filed under the user's name: the end of an old connection removes the new one's entry."""

from lab.servers.reference.app import create_app
from lab.servers.reference.session import Session

caught_by = ("away",)
findings: dict[str, str] = {"counter-is-true": "rejoin"}


class EvictsNewcomer(Session):
    def __eq__(self, other: object) -> bool:
        return isinstance(other, EvictsNewcomer) and other.user == self.user

    def __hash__(self) -> int:
        return hash(self.user)  # BUG: the manager's key is a name, not a connection


app = create_app(EvictsNewcomer)
