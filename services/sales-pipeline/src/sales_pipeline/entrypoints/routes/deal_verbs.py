"""What sales can do to a deal: one table of verbs, each with its body and its use case."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from fastapi import Request as HttpRequest
from pydantic import BaseModel, Field

from sales_pipeline.domain.money import Money
from sales_pipeline.domain.stage import Stage
from sales_pipeline.domain.timeline import ActivityKind
from sales_pipeline.entrypoints.context import Context
from sales_pipeline.entrypoints.deal_change import Act, Request, Show, change, show_deal, show_entry
from sales_pipeline.queries.deals import DealRecord
from sales_pipeline.queries.timelines import EntryRecord
from sales_pipeline.usecases.accept_deal import AcceptDeal, accept_deal
from sales_pipeline.usecases.lose_deal import LoseDeal, lose_deal
from sales_pipeline.usecases.move_deal import MoveDeal, move_deal
from sales_pipeline.usecases.reassign_deal import ReassignDeal, reassign_deal
from sales_pipeline.usecases.record_activity import RecordActivity, record_activity
from sales_pipeline.usecases.recycle_deal import RecycleDeal, recycle_deal
from sales_pipeline.usecases.win_deal import WinDeal, win_deal
from shared.ids import DealId, RepId
from shared.web.body import Body, JsonBody
from shared.web.idempotency import IdempotencyKey
from shared.web.keys import Caller
from shared.web.problems import responses
from shared.web.values import CurrencyCode, Instant, LongText, Text

B = TypeVar("B", bound=Body)
Reason = Annotated[str, Text(500)]
Amount = Annotated[int, Field(strict=True, ge=0, le=2**63 - 1, examples=[120_000])]


class Accept(Body):
    """Who takes the deal on; without a body: its owner."""

    rep_id: UUID | None = None


class Why(Body):
    """Why the deal ends."""

    reason: Reason = Field(examples=["no budget this year"])


class Move(Body):
    """Where the deal stands now."""

    stage: Stage


class Reassign(Body):
    """Who owns the deal from now on."""

    owner_id: UUID


class Activity(Body):
    """What was done, and when; without `occurred_at`: just now."""

    kind: ActivityKind
    text: LongText | None = None
    occurred_at: Instant | None = None


class Win(Body):
    """For how much the lead bought."""

    amount_minor: Amount
    currency: CurrencyCode = Field(examples=["EUR"])


def _accept(deal_id: DealId, body: Accept) -> Act:
    rep_id = RepId(body.rep_id) if body.rep_id else None
    return partial(accept_deal, AcceptDeal(deal_id=deal_id, rep_id=rep_id))


def _recycle(deal_id: DealId, body: Why) -> Act:
    return partial(recycle_deal, RecycleDeal(deal_id=deal_id, reason=body.reason))


def _lose(deal_id: DealId, body: Why) -> Act:
    return partial(lose_deal, LoseDeal(deal_id=deal_id, reason=body.reason))


def _move(deal_id: DealId, body: Move) -> Act:
    return partial(move_deal, MoveDeal(deal_id=deal_id, stage=body.stage))


def _reassign(deal_id: DealId, body: Reassign) -> Act:
    return partial(reassign_deal, ReassignDeal(deal_id=deal_id, owner_id=RepId(body.owner_id)))


def _record(deal_id: DealId, body: Activity) -> Act:
    command = RecordActivity(
        deal_id=deal_id, kind=body.kind, text=body.text, occurred_at=body.occurred_at
    )
    return partial(record_activity, command)


def _win(deal_id: DealId, body: Win) -> Act:
    amount = Money(amount_minor=body.amount_minor, currency=body.currency)
    return partial(win_deal, WinDeal(deal_id=deal_id, amount=amount))


@dataclass(frozen=True, slots=True)
class Verb(Generic[B]):
    """Something that can be done to a deal: its address, its body, its use case, its answer."""

    name: str
    summary: str
    body: type[B]
    act: Callable[[DealId, B], Act]
    show: Show = show_deal
    answer: type[BaseModel] = DealRecord
    status: int = 200


VERBS: tuple[Verb[Any], ...] = (
    Verb("accept", "A rep takes the deal on", Accept, _accept),
    Verb("recycle", "Give the lead back to marketing: ends the deal", Why, _recycle),
    Verb("stage", "Move the deal to another stage", Move, _move),
    Verb("reassign", "Give the deal another owner", Reassign, _reassign),
    Verb("win", "The lead bought: makes the order, and the customer", Win, _win),
    Verb("lose", "The lead did not buy: ends the deal", Why, _lose),
    Verb("activities", "Record what was done", Activity, _record, show_entry, EntryRecord, 201),
)


class MaybeBody(JsonBody[B]):
    """Reads a body that may be missing altogether: then all its fields are."""

    required = False

    async def __call__(self, request: HttpRequest) -> B:
        """Return the body; errors as those of `JsonBody`, but none for no body."""
        if not await request.body():
            return self.read(b"{}")
        return await super().__call__(request)


def routes(context: Context) -> APIRouter:
    """Return `POST /v1/deals/{id}/<verb>` for each verb."""
    router = APIRouter(tags=["deals"])
    for verb in VERBS:
        _add(router, context, verb)
    return router


def _add(router: APIRouter, context: Context, verb: Verb[B]) -> None:
    allowed = context.keyring.require("deals:write")
    body = MaybeBody(verb.body) if verb.body is Accept else JsonBody(verb.body)

    @router.post(
        f"/v1/deals/{{deal_id}}/{verb.name}",
        name=f"{verb.name}_deal",
        summary=verb.summary,
        status_code=verb.status,
        response_model=verb.answer,
        responses=responses(409),
    )
    async def act(
        caller: Annotated[Caller, Depends(allowed)],
        deal_id: UUID,
        content: Annotated[B, Depends(body)],
        key: IdempotencyKey = None,
    ) -> Response:
        request = Request(caller=caller, deal_id=deal_id, verb=verb.name, content=content, key=key)
        return await change(context, request, verb.act(DealId(deal_id), content), verb.show)
