"""Scenario: reps edit deals by HTTP while events change the same deals, many at once.

The timeline, the versions, the scores and the said stream must agree afterwards with each other,
with what was answered, and with what was fed: an edit that is lost or doubled shows in one of them.
"""

import asyncio
import itertools
import json
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from tests.faults.invariants import PIPELINE, Findings, balance
from tests.faults.rig.rig import Rig
from tests.faults.rig.waiting import until
from tests.stack.feeder import Feeder, feeding

from shared.clock import utc_now
from shared.contracts.event import Event
from shared.contracts.lead import LeadCard
from shared.contracts.score import LeadDisqualified, LeadQualified, LeadScored, Score
from shared.contracts.task import TaskCreated
from shared.ids import LeadId, new_id

_DEALS = 6
_AT_ONCE = 16
_TWICE = 0.1
_EVENTS_A_ROUND = 4
_STAGES = ("contacted", "sales_qualified", "demo", "proposal", "negotiation")
_VERSIONED = ("stage_changed", "accepted", "reassigned", "amended", "flagged", "reopened")
_MAY_BE_ANSWERED = {200, 201, 409, 412}
Rows = Sequence[Mapping[str, Any]]


@dataclass
class Raced:
    """One deal: what was asked of it and fed to it, from which its end follows."""

    lead_id: UUID
    deal_id: UUID = field(default_factory=new_id)
    tag: str = '"1"'
    score: int = 50
    flagged: int = 0
    reopened: int = 0
    scores: list[tuple[int, int]] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)
    tasks: set[str] = field(default_factory=set)
    tags: list[str] = field(default_factory=list)

    def events(self, chance: random.Random) -> list[Event]:
        """Return some events of the lead, and keep what must come of them."""
        return [self._event(chance) for _ in range(_EVENTS_A_ROUND)]

    def _event(self, chance: random.Random) -> Event:
        about: dict[str, Any] = {"lead_id": LeadId(self.lead_id), "lead_version": 1}
        if self.flagged > self.reopened and chance.random() < 0.5:
            self.reopened = self.flagged
            return qualified(self.lead_id, score=self.score)
        which = chance.choice(["scored", "disqualified", "task"])
        if which == "scored":
            before, self.score = self.score, (self.score + chance.randrange(1, 100)) % 101
            self.scores.append((before, self.score))
            return scored(self.lead_id, self.score)
        if which == "disqualified" and self.flagged == self.reopened:
            self.flagged += 1
            return LeadDisqualified(**about, reason="unreachable", disqualified_at=utc_now())
        task_id = new_id()
        self.tasks.add(str(task_id))
        return TaskCreated(
            **about, task_id=task_id, deal_id=self.deal_id, task_kind="call_back",
            title="Call", occurred_at=utc_now(), due_at=utc_now(), playbook="a scenario",
        )  # fmt: skip


@dataclass
class Race:
    """All deals of one race, and what was answered."""

    client: httpx.AsyncClient
    deals: list[Raced]
    reps: list[str]
    chance: random.Random
    answers: Counter[int] = field(default_factory=Counter)

    def unfit(self) -> set[int]:
        """Return the statuses that were answered and must not be."""
        return self.answers.keys() - _MAY_BE_ANSWERED

    async def edit(self, number: int) -> None:
        """Edit one deal in one way; now and then the same request is sent twice at once."""
        deal = self.chance.choice(self.deals)
        verb = self.chance.choice(["stage", "reassign", "activities", "amend"])
        if verb == "amend":
            await self._amend(deal, number)
            return
        body: dict[str, Any] = {
            "stage": {"stage": self.chance.choice(_STAGES)},
            "reassign": {"owner_id": self.chance.choice(self.reps)},
            "activities": {"kind": "note", "text": f"edit {number}"},
        }[verb]
        times = 2 if self.chance.random() < _TWICE else 1
        answers = await asyncio.gather(
            *(self._post(deal, verb, body, f"edit-{number}") for _ in range(times))
        )
        if verb == "activities" and any(answer.is_success for answer in answers):
            deal.notes.add(body["text"])

    async def _amend(self, deal: Raced, number: int) -> None:
        body = {"amount_minor": number, "currency": "EUR"}
        answer = await self.client.patch(
            f"/v1/deals/{deal.deal_id}", json=body, headers={"If-Match": deal.tag}
        )
        self._note(deal, answer)
        if answer.is_success:
            deal.tags.append(answer.headers["etag"])

    async def _post(self, deal: Raced, verb: str, body: dict[str, Any], key: str) -> httpx.Response:
        answer = await self.client.post(
            f"/v1/deals/{deal.deal_id}/{verb}", json=body, headers={"Idempotency-Key": key}
        )
        self._note(deal, answer)
        return answer

    def _note(self, deal: Raced, answer: httpx.Response) -> None:
        self.answers[answer.status_code] += 1
        deal.tag = answer.headers.get("etag", deal.tag)


async def edits(rig: Rig, *, times: int, seed: int = 1, within: float = 60) -> Findings:
    """Edit deals so many times while their leads' events are heard; return what is broken."""
    door, _ = await asyncio.gather(rig.start(PIPELINE, "api"), rig.start(PIPELINE, "worker"))
    async with await rig.client(door) as client, feeding(rig.kafka) as feeder:
        reps = [await _hire(client, number) for number in range(3)]
        race = Race(client, await _deals(rig, feeder), reps, random.Random(seed))
        over = asyncio.Event()
        feeding_on = asyncio.create_task(_feed(race, feeder, over))
        await _run(race, times)
        over.set()
        await feeding_on
        found = await balance(rig, fed=feeder.said, within=within)
        return await _wrong(rig, race) | found


async def _run(race: Race, times: int) -> None:
    numbers = iter(range(1, times + 1))

    async def one_after_the_other() -> None:
        for number in numbers:
            await race.edit(number)

    await asyncio.gather(*(one_after_the_other() for _ in range(_AT_ONCE)))


async def _feed(race: Race, feeder: Feeder, over: asyncio.Event) -> None:
    while not over.is_set():
        await feeder.say(*(event for deal in race.deals for event in deal.events(race.chance)))
        await asyncio.sleep(0.05)


async def _hire(client: httpx.AsyncClient, number: int) -> str:
    body = {"name": f"Rep {number}", "email": f"rep{number}@sales.example.com"}
    answer = await client.post("/v1/reps", json=body)
    answer.raise_for_status()
    return str(answer.json()["id"])


async def _deals(rig: Rig, feeder: Feeder) -> list[Raced]:
    raced = [Raced(new_id()) for _ in range(_DEALS)]
    await feeder.say(*(qualified(deal.lead_id) for deal in raced))
    await until(rig, PIPELINE, "SELECT count(*) >= $1 FROM deal", _DEALS)
    rows = await rig.ask(PIPELINE, "SELECT id, lead_id FROM deal")
    ids = {row["lead_id"]: row["id"] for row in rows}
    for deal in raced:
        deal.deal_id = ids[deal.lead_id]
    return raced


def qualified(lead_id: UUID, *, score: int = 50) -> LeadQualified:
    """Return what scoring says when it hands a lead over."""
    return LeadQualified(
        lead_id=LeadId(lead_id), lead_version=1, lead=_card(lead_id),
        score=_score(score), qualified_at=utc_now(),
    )  # fmt: skip


def scored(lead_id: UUID, score: int) -> LeadScored:
    """Return what scoring says when a lead's score changes."""
    return LeadScored(lead_id=LeadId(lead_id), lead_version=1, score=_score(score))


def _card(lead_id: UUID) -> LeadCard:
    return LeadCard(email=f"{lead_id}@example.com", company="Example")


def _score(points: int) -> Score:
    return Score(
        score=points, grade="B2", fit=points, engagement=0, scorecard_id=new_id(),
        scorecard_version=1, threshold=50, entries=(),
    )  # fmt: skip


async def _wrong(rig: Rig, race: Race) -> Findings:
    """Count what does not follow from what was asked and fed."""
    found: Counter[str] = Counter(
        {"answered other than 2xx, 409, 412": sum(race.answers[a] for a in race.unfit())}
    )
    for deal in race.deals:
        row = (await rig.ask(PIPELINE, "SELECT * FROM deal WHERE id = $1", deal.deal_id))[0]
        timeline = await rig.ask(
            PIPELINE,
            "SELECT kind, text, detail::text FROM timeline_entry WHERE deal_id = $1",
            deal.deal_id,
        )
        said = await rig.ask(
            PIPELINE,
            "SELECT convert_from(payload, 'UTF8') AS event FROM outbox_archive"
            " WHERE subject = $1 ORDER BY sequence",
            deal.lead_id,
        )
        found.update(_unlike_asked(deal, row, timeline))
        found.update(_broken_chains(row, [json.loads(each["event"]) for each in said]))
    return {what: count for what, count in found.items() if count}


def _unlike_asked(deal: Raced, row: Mapping[str, Any], timeline: Rows) -> Findings:
    """Compare a deal and its timeline with what was asked and fed."""
    kinds = Counter(entry["kind"] for entry in timeline)
    details = [(entry["kind"], json.loads(entry["detail"])) for entry in timeline]
    notes = [entry["text"] for entry in timeline if entry["kind"] == "note"]
    tasks = [detail["task_id"] for kind, detail in details if kind == "task_created"]
    steps = [(d["previous_score"], d["score"]) for kind, d in details if kind == "scored"]
    versions = 1 + sum(kinds[kind] for kind in _VERSIONED)
    return {
        "versions unlike changes": abs(row["version"] - versions),
        "edits unlike entries": _differences(notes, deal.notes),
        "tasks unlike entries": _differences(tasks, deal.tasks),
        "amendments unlike entries": _differences(range(kinds["amended"]), range(len(deal.tags))),
        "two amendments of one version": len(deal.tags) - len(set(deal.tags)),
        "flags unlike entries": abs(kinds["flagged"] - deal.flagged),
        "reopenings unlike entries": abs(kinds["reopened"] - deal.reopened),
        "scores that were overwritten": _differences(steps, deal.scores)
        + (row["score"] != deal.score),
    }


def _differences(have: Iterable[Any], want: Iterable[Any]) -> int:
    here, there = Counter(have), Counter(want)
    return ((here - there) + (there - here)).total()


def _broken_chains(row: Mapping[str, Any], said: Rows) -> Findings:
    """Each event begins where the one before it ended, and the deal is where the last one ended."""
    stages = [(event["from_stage"], event["to_stage"]) for event in said if "to_stage" in event]
    owners = [
        (event["previous_owner_id"], event["owner_id"])
        for event in said
        if "previous_owner_id" in event
    ]
    return {
        "stages that do not follow": _gaps(stages, row["stage"]),
        "owners that do not follow": _gaps(owners, str(row["owner_id"])),
    }


def _gaps(steps: Sequence[tuple[str, str]], end: str) -> int:
    gaps = sum(before[1] != after[0] for before, after in itertools.pairwise(steps))
    return gaps + (bool(steps) and steps[-1][1] != end)
