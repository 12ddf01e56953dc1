"""By which way each route is written to: what is there before, and where what it wrote is shown."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from tests.hostile.served import Served
from tests.stack.keys import bearer
from tests.stack.services import ERASURE_SECRET
from tests.stack.voices import SINCE_LONG_AGO, Others

from marketing_intake.entrypoints.resolver import Resolver
from notifier.entrypoints.worker import NotifierHearer
from sales_pipeline.entrypoints.worker import PipelineHearer
from shared.clock import utc_now
from shared.contracts.catalogue import INTAKE
from shared.contracts.deal import DealOpened, RepChanged
from shared.contracts.lead import LeadCard
from shared.contracts.score import LeadQualified, Score
from shared.ids import new_id
from shared.messaging.batch import Batch
from shared.messaging.lease import Lease
from shared.telemetry.heartbeat import Heartbeats

_CARD = LeadCard(email="ada@engine.example", first_name="Ada", last_name="Lovelace")
_RULE = {
    "code": "chief", "text": "Decides", "group": "fit", "points": 25,
    "when": [{"field": "job_title", "operator": "has_word", "value": "ceo"}],
}  # fmt: skip
SCORECARD: Mapping[str, Any] = {
    "name": "Autumn", "threshold": 50, "rules": [_RULE],
    "fit_cuts": [40, 25, 10], "engagement_cuts": [40, 25, 10],
}  # fmt: skip
PLAYBOOK: Mapping[str, Any] = {
    "name": "Call", "event": "deal.opened", "task_kind": "call", "title": "Call {name}",
    "due_in": "PT1H", "grace": "PT1H",
}  # fmt: skip
SOURCE: Mapping[str, Any] = {"name": "A form", "kind": "form", "channel": "seo"}

Parts = dict[str, str]


@dataclass
class Before:
    """Makes what a route needs that is there before; each method returns ids for its path."""

    served: Served
    key: str
    made: Parts = field(default_factory=dict[str, str])

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make something by the API, as people do."""
        headers = bearer(self.key) | {"Prefer": "wait=8"}
        answer = await self.served.http.post(path, json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    async def once(self, name: str, path: str, body: Mapping[str, Any], id_field: str) -> Parts:
        """Return the id of something that one of is enough of."""
        if name not in self.made:
            self.made[name] = (await self.post(path, body))[id_field]
        return {name: self.made[name]}

    async def source(self) -> Parts:
        """Have a source."""
        return await self.once("source_id", "/v1/sources", SOURCE, "id")

    async def lead(self) -> Parts:
        """Have a lead."""
        body = {"email": "a@lead.example", **await self.source()}
        return await self.once("lead_id", "/v1/leads", body, "lead_id")

    async def draft(self) -> Parts:
        """Have a scorecard that may still be changed."""
        return await self.once("scorecard_id", "/v1/scorecards", SCORECARD, "id")

    async def playbook(self) -> Parts:
        """Have a playbook."""
        return await self.once("playbook_id", "/v1/playbooks", PLAYBOOK, "id")

    async def rep(self) -> Parts:
        """Have a rep."""
        body = {"name": "Ada", "email": "ada@sales.example"}
        return await self.once("rep_id", "/v1/reps", body, "id")

    async def deal(self) -> Parts:
        """Have a deal that is new."""
        score = Score(
            score=70, grade="B2", fit=30, engagement=40, scorecard_id=new_id(),
            scorecard_version=1, threshold=60, entries=(),
        )  # fmt: skip
        lead_id, now = new_id(), utc_now()
        qualified = LeadQualified(
            lead_id=lead_id, lead_version=1, lead=_CARD, score=score, qualified_at=now
        )
        await Others(Batch(self.served.engine, PipelineHearer(), SINCE_LONG_AGO)).say(qualified)
        deals = await self.served.http.get(
            "/v1/deals", params={"lead_id": str(lead_id)}, headers=bearer(self.key)
        )
        return {"deal_id": deals.json()["items"][0]["id"], **await self.rep()}

    async def task(self) -> Parts:
        """Have a task that is not done, and a rep."""
        lead_id, rep_id, now = new_id(), new_id(), utc_now()
        opened = DealOpened(
            lead_id=lead_id, lead_version=1, deal_id=new_id(), owner_id=rep_id, occurred_at=now,
            lead=_CARD, stage="new", score=70, grade="B2", reopened=False,
        )  # fmt: skip
        rep = RepChanged(
            rep_id=rep_id, rep_version=1, name="Ada", email="ada@sales.example", state="active",
            changed_at=now,
        )  # fmt: skip
        await Others(Batch(self.served.engine, NotifierHearer(), SINCE_LONG_AGO)).say(rep, opened)
        tasks = await self.served.http.get(
            "/v1/tasks", params={"lead_id": str(lead_id)}, headers=bearer(self.key)
        )
        return {"task_id": tasks.json()["items"][0]["id"], "rep_id": str(rep_id)}

    async def nothing(self) -> Parts:
        """Need nothing."""
        return {}


@dataclass(frozen=True, slots=True)
class Way:
    """How to write by a route, and to read back what was written.

    Attributes:
        needs: makes what is there before.
        given: fields whose values must fit what is there.
        shown: where it is shown: a path of ids; None: only by the answer itself.
        names: fields that are shown under another name.
        shows: whether what is accepted is shown again: not of what is refused for want of its
            object, nor of a batch, whose items are as those that come alone.
    """

    needs: Callable[[Before], Awaitable[Parts]] = Before.nothing
    given: Callable[[Parts], Mapping[str, Any]] = lambda _: {}
    shown: str | None = None
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    shows: bool = True


def _soon(_: Parts) -> Mapping[str, Any]:
    return {"until": (utc_now() + timedelta(days=1)).isoformat()}


def _somebody_new(parts: Parts) -> Mapping[str, Any]:
    return {**parts, "email": f"{new_id()}@lead.example", "is_test": False}


def _since_new_year(_: Parts) -> Mapping[str, Any]:
    others = ("topic", "until", "partition", "from_offset", "to_offset", "lead_id")
    return {**dict.fromkeys(others), "since": "2026-01-01T00:00:00Z"}


_A_DEAL = Way(Before.deal, shown="/v1/deals/{deal_id}")
_NOTHING_THERE = Way(shows=False)
_OWNER: Callable[[Parts], Mapping[str, Any]] = lambda parts: {"owner_id": parts["rep_id"]}  # noqa: E731
WAYS: Mapping[str, Way] = {
    "POST /v1/leads": Way(Before.source, _somebody_new, "/v1/leads/{lead_id}"),
    "POST /v1/leads/batch": Way(Before.source, _somebody_new, shows=False),
    "POST /v1/leads/{lead_id}/consents": Way(Before.lead),
    "POST /v1/leads/{lead_id}/merge": _NOTHING_THERE,
    "POST /v1/touchpoints": Way(
        lambda before: _both(before.source(), before.lead()), lambda parts: parts
    ),
    "POST /v1/sources": Way(shown="/v1/sources/{id}"),
    "PATCH /v1/sources/{source_id}": Way(Before.source, shown="/v1/sources/{source_id}"),
    "POST /v1/scorecards": Way(shown="/v1/scorecards/{id}"),
    "PATCH /v1/scorecards/{scorecard_id}": Way(Before.draft, shown="/v1/scorecards/{scorecard_id}"),
    "PATCH /v1/deals/{deal_id}": _A_DEAL,
    "POST /v1/deals/{deal_id}/accept": Way(
        Before.deal, lambda parts: {"rep_id": parts["rep_id"]}, "/v1/deals/{deal_id}",
        {"rep_id": "accepted_by"},
    ),
    "POST /v1/deals/{deal_id}/recycle": Way(
        Before.deal, shown="/v1/deals/{deal_id}", names={"reason": "close_reason"}
    ),
    "POST /v1/deals/{deal_id}/lose": Way(
        Before.deal, shown="/v1/deals/{deal_id}", names={"reason": "close_reason"}
    ),
    "POST /v1/deals/{deal_id}/stage": _A_DEAL,
    "POST /v1/deals/{deal_id}/reassign": Way(Before.deal, _OWNER, "/v1/deals/{deal_id}"),
    "POST /v1/deals/{deal_id}/win": _A_DEAL,
    "POST /v1/deals/{deal_id}/activities": Way(Before.deal),
    "POST /v1/reps": Way(shown="/v1/reps/{id}"),
    "PATCH /v1/reps/{rep_id}": Way(Before.rep, shown="/v1/reps/{rep_id}"),
    "POST /v1/playbooks": Way(shown="/v1/playbooks/{id}"),
    "PATCH /v1/playbooks/{playbook_id}": Way(Before.playbook, shown="/v1/playbooks/{playbook_id}"),
    "POST /v1/tasks/{task_id}/snooze": Way(
        Before.task, _soon, "/v1/tasks/{task_id}", {"until": "due_at"}
    ),
    "POST /v1/tasks/{task_id}/reassign": Way(Before.task, _OWNER, "/v1/tasks/{task_id}"),
    "POST /v1/parked/{subject}/discard": _NOTHING_THERE,
    "POST /v1/parked/release": _NOTHING_THERE,
    "POST /v1/replays": Way(given=_since_new_year, shown="/v1/replays/{id}"),
}  # fmt: skip


async def _both(*parts: Awaitable[Parts]) -> Parts:
    return {name: value for each in parts for name, value in (await each).items()}


@asynccontextmanager
async def resolving(service: str, engine: AsyncEngine) -> AsyncGenerator[None]:
    """Let submissions resolve during the block, where the service has any."""
    stop, beats = asyncio.Event(), Heartbeats()
    lease = Lease(engine, name="resolve", owner="tests")
    resolver = Resolver(engine, lease, beats.loop("resolve"), ERASURE_SECRET.encode())
    task = asyncio.create_task(resolver.run(stop)) if service == INTAKE else None
    try:
        yield
    finally:
        stop.set()
        if task is not None:
            await task
