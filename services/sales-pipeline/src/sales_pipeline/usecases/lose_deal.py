"""Lose a deal: the lead did not buy, and sales knows why."""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.desk import Desk
from sales_pipeline.usecases.saying import about
from shared.contracts.deal import DealLost
from shared.contracts.event import Event
from shared.ids import DealId


@dataclass(frozen=True, slots=True, kw_only=True)
class LoseDeal:
    """The sale did not come about, for this reason."""

    deal_id: DealId
    reason: str


def lose_deal(command: LoseDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """End the deal; the event says at which stage it was lost.

    Raises:
        DealAlreadyClosed: the deal has ended.
    """
    deal = desk.deals[command.deal_id]
    stage = deal.stage
    deal.lose(reason=command.reason, now=now)
    desk.note(deal, Happening.LOST, now=now, text=command.reason, detail={"stage": stage})
    return [DealLost(**about(deal, desk=desk, now=now), reason=command.reason, stage=stage)]
