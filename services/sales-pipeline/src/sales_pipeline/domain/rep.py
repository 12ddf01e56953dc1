"""A rep: who sells. `away` reps get no new deals and keep those that they have."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.ids import RepId


class RepState(StrEnum):
    """Whether a rep takes part in the round robin."""

    ACTIVE = "active"
    AWAY = "away"


class RepEmailTaken(Exception):
    """Another rep has this address: the same person twice would get two turns a round."""

    def __init__(self, rep_id: RepId) -> None:
        """Say who has it."""
        super().__init__(f"Rep {rep_id} has this e-mail address. Change that rep, or send another.")


@dataclass(slots=True, kw_only=True)
class Rep:
    """Who sells; `version` counts the changes that others are told of."""

    id: RepId
    name: str
    email: str
    state: RepState
    created_at: datetime
    updated_at: datetime
    version: int = 1

    def change(self, *, name: str, email: str, state: RepState, now: datetime) -> bool:
        """Take on what is to be known of this rep; False: that is how it is already."""
        if (name, email, state) == (self.name, self.email, self.state):
            return False
        self.name, self.email, self.state = name, email, state
        self.version += 1
        self.updated_at = now
        return True


def check_address(*, email: str, rep_id: RepId, reps: Iterable[Rep]) -> None:
    """Let pass an address that no other rep has; capitals do not count.

    Raises:
        RepEmailTaken: another rep has it.
    """
    for other in reps:
        if other.id != rep_id and other.email.lower() == email.lower():
            raise RepEmailTaken(other.id)
