"""Recycle a deal: give the lead back to marketing. Its next qualification opens a new deal."""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.desk import Desk
from sales_pipeline.usecases.saying import about
from shared.contracts.deal import DealRecycled
from shared.contracts.event import Event
from shared.ids import DealId


@dataclass(frozen=True, slots=True, kw_only=True)
class RecycleDeal:
    """Sales does not want this lead now, for this reason."""

    deal_id: DealId
    reason: str


def recycle_deal(command: RecycleDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """End the deal, which keeps its stage.

    Raises:
        DealAlreadyClosed: the deal has ended.
    """
    deal = desk.deals[command.deal_id]
    deal.recycle(reason=command.reason, now=now)
    detail = {"stage": deal.stage}
    desk.note(deal, Happening.RECYCLED, now=now, text=command.reason, detail=detail)
    return [
        DealRecycled(**about(deal, desk=desk, now=now), reason=command.reason, stage=deal.stage)
    ]
