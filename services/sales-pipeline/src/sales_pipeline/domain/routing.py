"""Who gets the next deal: round robin over the active reps, and an owner of last resort.

A pure rule over the team's cursor. That two deals at once take two different turns is the edge's
business: it locks the team's row before it loads it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sales_pipeline.domain.rep import Rep, RepState
from shared.ids import RepId


class FallbackRequired(Exception):
    """The fallback owner would be gone, and new deals could be without an owner."""

    def __init__(self) -> None:
        """Say how to change the fallback owner instead."""
        super().__init__(
            "This rep is the fallback owner, who gets the deals that no active rep can take. "
            "To change that, send fallback true for another rep."
        )


@dataclass(slots=True)
class Team:
    """Reps who share the incoming deals: whose turn was last, and who gets what nobody can take."""

    id: UUID
    fallback_id: RepId
    last_id: RepId | None = None

    def next_owner(self, *, reps: Collection[Rep]) -> RepId:
        """Take the turn of the next active rep in id order; the fallback owner if there is none."""
        active = sorted(rep.id for rep in reps if rep.state is RepState.ACTIVE)
        if not active:
            return self.fallback_id
        later = [rep_id for rep_id in active if self.last_id is None or rep_id > self.last_id]
        self.last_id = (later or active)[0]
        return self.last_id

    def change_fallback(self, *, rep_id: RepId, fallback: bool) -> bool:
        """Make a rep the fallback owner; False: that is how it is already.

        Raises:
            FallbackRequired: the rep is the fallback owner, and there would be none.
        """
        if fallback == (rep_id == self.fallback_id):
            return False
        if not fallback:
            raise FallbackRequired
        self.fallback_id = rep_id
        return True
