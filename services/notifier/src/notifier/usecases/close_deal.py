"""Close a deal: it was won, lost, recycled or merged. Its tasks give way to those of the close."""

from dataclasses import dataclass
from datetime import datetime

from notifier.domain.task import Cause
from notifier.usecases.desk import Desk
from notifier.usecases.follow_deal import FollowDeal, follow_deal
from shared.contracts.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDeal:
    """A deal ended by `closing`."""

    closing: FollowDeal


def close_deal(command: CloseDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """Cancel the deal's unfinished tasks, then make those of the close.

    Only events of a deal make its tasks, and those come in order: whatever is unfinished when the
    close is heard is older than the close. No clock is asked.
    """
    closing = command.closing
    for task in desk.unfinished(closing.lead_id, deal_id=closing.deal_id):
        if task.trigger_event_id != closing.trigger.event_id:
            task.cancel(cause=Cause.DEAL_CLOSED, now=now)
            desk.keep(task)
    return follow_deal(closing, desk, now=now)
