"""Hand a deal over: it has another owner, and what is to be done for it goes with it."""

from dataclasses import dataclass
from datetime import datetime

from notifier.domain.playbook import Role
from notifier.usecases.desk import Desk
from notifier.usecases.follow_deal import FollowDeal, follow_deal
from shared.contracts.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverDeal:
    """A deal was reassigned: `reassigning` names the new owner."""

    reassigning: FollowDeal


def hand_over_deal(command: HandOverDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """Move the deal's unfinished tasks to the new owner, except those that are marketing's."""
    reassigning = command.reassigning
    for task in desk.unfinished(reassigning.lead_id, deal_id=reassigning.deal_id):
        if task.role is Role.DEAL_OWNER and task.reassign(owner_id=reassigning.owner_id, now=now):
            desk.keep(task)
    return follow_deal(reassigning, desk, now=now)
