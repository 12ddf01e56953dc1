"""Move a deal: to another stage of the sale, forward or back."""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.domain.stage import Stage
from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.accept_deal import accepted
from sales_pipeline.usecases.desk import Desk
from sales_pipeline.usecases.saying import about
from shared.contracts.deal import DealStageChanged
from shared.contracts.event import Event
from shared.ids import DealId


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveDeal:
    """The deal now stands at this stage."""

    deal_id: DealId
    stage: Stage


def move_deal(command: MoveDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """Move the deal; past first contact this takes it on for its owner. There already: nothing.

    Raises:
        DealAlreadyClosed: the deal has ended.
        IllegalStageMove: the table of moves does not allow it.
    """
    deal = desk.deals[command.deal_id]
    before, needs_acceptance = deal.stage, deal.needs_acceptance_for(command.stage)
    if not deal.move(to=command.stage, now=now):
        return []
    taken_on = accepted(deal, desk, rep_id=deal.owner_id, now=now) if needs_acceptance else []
    detail = {"from_stage": before, "to_stage": deal.stage}
    desk.note(deal, Happening.STAGE_CHANGED, now=now, detail=detail)
    return [
        *taken_on,
        DealStageChanged(**about(deal, desk=desk, now=now), from_stage=before, to_stage=deal.stage),
    ]
