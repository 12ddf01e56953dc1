"""Record an activity: what a rep did on a deal. Also after its end: a call may come later."""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.domain.timeline import ActivityKind, check_it_happened
from sales_pipeline.usecases.desk import Desk
from shared.contracts.event import Event
from shared.ids import DealId


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordActivity:
    """A rep did this; absent `occurred_at`: just now."""

    deal_id: DealId
    kind: ActivityKind
    text: str | None = None
    occurred_at: datetime | None = None


def record_activity(command: RecordActivity, desk: Desk, *, now: datetime) -> list[Event]:
    """Add the activity to the deal's timeline, in its owner's name. Says nothing.

    Raises:
        ActivityInTheFuture: it did not happen yet.
    """
    deal = desk.deals[command.deal_id]
    occurred_at = command.occurred_at or now
    check_it_happened(occurred_at=occurred_at, now=now)
    deal.updated_at = now
    desk.note(
        deal,
        command.kind,
        now=now,
        occurred_at=occurred_at,
        text=command.text,
        detail={"rep_id": str(deal.owner_id)},
    )
    return []
