"""Scenarios: one database is restored to an earlier moment while the others know better (D8)."""

import asyncio
import json
import os
import sys
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
from tests.faults.invariants import (
    INTAKE,
    NOTIFIER,
    PIPELINE,
    SCORING,
    Findings,
    balance,
    broken,
    site_of,
)
from tests.faults.ledger import Ledger, make_source, some_leads, storm
from tests.faults.rig import backups
from tests.faults.rig.quiet import quiet
from tests.faults.rig.rig import Rig
from tests.faults.rig.waiting import not_ready, until
from tests.stack.feeder import captured, feeding, updated
from tests.stack.process import Process
from tests.stack.topics import read_back

from handoff.audit.behind import State
from handoff.audit.reconcile import reconcile
from shared.clock import utc_now
from shared.ids import new_id

LEADS = "handoff.leads.v1"
_LEADS = 10
_WITHIN = 40.0


@dataclass
class Restored:
    """What was seen after the restore.

    Attributes:
        missing: how many streams the audit named as lost.
        sent: how many records went to Kafka over what it knew.
    """

    findings: Findings = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)
    log: str = ""
    missing: int = 0
    sent: int = 0


@dataclass
class Returned:
    """What the command told, and what held afterwards.

    Attributes:
        refused: what the worker said of itself before.
        tried: what the dry run printed, as JSON.
        moved: the tables that the dry run changed.
        told: what the command printed.
        audit: what `handoff audit --kafka` printed after it.
        listed: what `--list` printed at the end.
        codes: the exit codes of these four, and of a second run, in this order.
    """

    refused: str
    findings: Findings = field(default_factory=dict)
    tried: dict[str, Any] = field(default_factory=dict)
    moved: list[str] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)
    audit: dict[str, Any] = field(default_factory=dict)
    listed: list[dict[str, Any]] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)

    def would_take_back(self) -> int:
        """How many events the dry run counted."""
        return _taken_back(self.tried)

    def taken_back(self) -> int:
        """How many events the service knows again."""
        return _taken_back(self.told)

    def healed(self) -> int:
        """How many events it heard again."""
        return sum(each["applied"] for o in self.told["orders"][1:] for each in o["counts"])


async def a_publisher(rig: Rig) -> Restored:
    """Restore the intake's database: its relay must refuse until it is back at its latest moment.

    What was taken in meanwhile goes with the database that did not know enough.
    """
    door, work = await _run(rig)
    ledger = Ledger()
    async with await rig.client(door) as client:
        source = await make_source(client)
        await _some(rig, client, source, ledger, seed=1)
        await backups.save(rig, INTAKE, "earlier")
        await _some(rig, client, source, ledger, seed=2)
        before, scores = await _records(rig), await _scores(rig)
        await backups.save(rig, INTAKE, "latest")
        await backups.restore(rig, INTAKE, "earlier")
        said = await not_ready(work, "foreign_records")
        result = Restored(troubles=json.loads(said)["troubles"])
        await _post(client, source, Ledger(), seed=3)
        await until(rig, INTAKE, "SELECT count(*) >= 10 FROM outbox")
        result.sent = await _records(rig) - before
        result.missing = await _audited(rig, State.AHEAD)
        await backups.restore(rig, INTAKE, "latest")
        await _some(rig, client, source, ledger, seed=4)
    result.findings = await balance(_ran(rig), ledger=ledger) | {
        "processes that were started again": sum(p.lives - 1 for p in rig.processes.values()),
        "scores that moved": int(scores != (await _scores(rig))[: len(scores)]),
    }
    result.log = work.log.read_text()
    return result


async def a_hearer(rig: Rig) -> Restored:
    """Restore scoring's database: nothing is applied over what it lacks, until it is healed.

    It is a publisher too: what it says of what it hears again waits, so it is not in the topics.
    """
    door, _ = await _run(rig)
    ledger, began = Ledger(), utc_now()
    async with await rig.client(door) as client:
        source = await make_source(client)
        await _some(rig, client, source, ledger, seed=1)
        await backups.save(rig, SCORING, "earlier")
        await _some(rig, client, source, ledger, seed=1, again="a")  # those people, once more
        await _some(rig, client, source, ledger, seed=2)
        await backups.restore(rig, SCORING, "earlier")
        positions = await _positions(rig)
        result = Restored(missing=await _audited(rig, State.MISSING))
        await _post(client, source, ledger, seed=1, again="b")
        await until(rig, SCORING, _GAPS, len(positions))
    moved = {subject for subject, last in (await _positions(rig)).items()
             if positions.get(subject) != last}  # fmt: skip
    await _heal(rig, began)
    result.findings = {
        "positions that moved over a gap": len(moved),
        "processes that were started again": sum(p.lives - 1 for p in rig.processes.values()),
        "missing after it was healed": await _audited(rig, State.MISSING),
        "parked after it was healed": await rig.one(SCORING, "SELECT count(*) FROM parked_event"),
    }
    found = await broken(_ran(rig), ledger=ledger)
    result.findings |= {name: n for name, n in found.items() if name not in _WAITS_TO_BE_SENT}
    return result


async def a_publisher_alone(rig: Rig) -> Findings:
    """Restore the intake's database for good: by order, it knows again what it said.

    The same people came again before and after, so their numbers were given out twice.
    """
    door, work = await rig.start(INTAKE, "api"), await rig.start(INTAKE)
    async with await rig.client(door) as client:
        source = await make_source(client)
        await _post(client, source, ledger := Ledger(), seed=1)
        await quiet(rig)
        await backups.save(rig, INTAKE, "earlier")
        await _post(client, source, Ledger(), seed=1, again="a")
        await _post(client, source, Ledger(), seed=2)
        await quiet(rig)
        await backups.restore(rig, INTAKE, "earlier")
        await not_ready(work, "foreign_records")
        await _post(client, source, ledger, seed=1, again="b")
        await until(rig, INTAKE, "SELECT count(*) >= 10 FROM outbox")
        await _ordered(client, {"verb": "restore"})
    found = await balance(rig, ledger=ledger, within=20)
    twice = await _versions_twice(rig)
    return found | ({"leads of which a version was said twice": twice} if twice else {})


async def by_the_command(rig: Rig, service: str) -> Returned:
    """Restore a service's database, and bring it back by the drill of `docs/operating.md`.

    What the intake had taken in and answered meanwhile is lost with its database, but not the leads
    that were made of it: their events tell them. What another service lacks, it hears again.
    """
    door, _ = await _run(rig)
    await asyncio.gather(rig.start(PIPELINE), rig.start(NOTIFIER))
    if service != INTAKE:
        await rig.start(service, "api")
    work = rig.processes[f"{service}-worker-0"]
    ledger = Ledger()
    async with await rig.client(door) as client:
        source = await make_source(client)
        await _some(rig, client, source, ledger, seed=1)
        await backups.save(rig, service, "earlier")
        meanwhile = Ledger() if service == INTAKE else ledger
        await _some(rig, client, source, meanwhile, seed=1, again="a")
        await _some(rig, client, source, meanwhile, seed=2)
        await backups.restore(rig, service, "earlier")
        result = Returned(refused=await not_ready(work, "foreign_records"))
        await _drilled(rig, service, result, _post(client, source, ledger, seed=1, again="b"))
        await _some(rig, client, source, ledger, seed=3)
    result.findings = await balance(rig, ledger=ledger) | {
        "not level by the audit": await _unlevel(rig),
        "parked": await rig.one(service, "SELECT count(*) FROM parked_event"),
    }
    return result


async def _drilled(
    rig: Rig, service: str, result: Returned, meanwhile: Coroutine[Any, Any, None]
) -> None:
    """Do what the drill says, and note what came of each step; `meanwhile` after the dry run."""
    named = service.replace("_", "-")
    before = await _rows(rig, service)
    tried, result.tried = await _command(rig, service, "restore", named, "--dry-run", "--json")
    after = await _rows(rig, service)
    result.moved = sorted(table for table in before if before[table] != after[table])
    await meanwhile
    done, result.told = await _command(rig, service, "restore", named, "--json")
    asked, result.audit = await _command(rig, service, "audit", "--kafka", "--json")
    (listed, result.listed), (again, _) = await asyncio.gather(
        _command(rig, service, "restore", named, "--list", "--json"),
        _command(rig, service, "restore", named, "--json"),
    )
    result.codes = [tried, done, asked, listed, again]


async def two_events_of_one_number(rig: Rig) -> Findings:
    """A number comes a second time, with another event, as from a publisher that went on."""
    await rig.start(SCORING)
    lead, other = new_id(), new_id()
    async with feeding(rig.kafka) as feeder:
        await feeder.say(captured(lead), updated(lead, 2), captured(other))
        await quiet(rig, feeder.said)
        scores = await _scores(rig)
        await feeder.send([feeder.next(updated(lead, 9), sequence=2)])
        await until(rig, SCORING, _PARKED, lead, "conflict")
        found = await broken(rig, fed=feeder.said)
    return found | {"scores that moved": int(await _scores(rig) != scores)}


_RESTORED = ("outbox", "outbox_archive", "subject", "stream", "parked_event", "restored")
_DIGEST = "SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM {table} t"
_PARKED = "SELECT count(*) > 0 FROM parked_event WHERE subject = $1 AND reason = $2"
_WAITS_TO_BE_SENT = {
    "said under other numbers than 1, 2, 3",
    "archived and not in the topic, or the reverse",
}
_GAPS = "SELECT count(DISTINCT subject) >= $1 FROM parked_event WHERE reason = 'gap'"


async def _run(rig: Rig) -> tuple[Process, Process]:
    door, work = rig.process(INTAKE, "api"), rig.process(INTAKE)
    processes = (door, work, rig.process(SCORING))
    for process in processes:
        process.start()
    await asyncio.gather(*(process.ready() for process in processes))
    return door, work


async def _some(
    rig: Rig, client: httpx.AsyncClient, source: str, ledger: Ledger, *, seed: int, again: str = ""
) -> None:
    """Post leads, and wait until they have their scores."""
    await _post(client, source, ledger, seed=seed, again=again)
    await quiet(_ran(rig))


async def _post(
    client: httpx.AsyncClient, source: str, ledger: Ledger, *, seed: int, again: str = ""
) -> None:
    leads = some_leads(source, _LEADS, seed=seed)
    await storm(
        client,
        {f"{key}{again}": {**lead, "message": f"{key}{again}"} for key, lead in leads.items()},
        ledger=ledger,
    )


async def _heal(rig: Rig, since: datetime) -> None:
    """Let scoring hear again, by order, what was said since a moment."""
    door = await rig.start(SCORING, "api")
    async with await rig.client(door) as client:
        await _ordered(client, {"verb": "heal", "topic": LEADS, "since": since.isoformat()})


async def _ordered(client: httpx.AsyncClient, order: dict[str, str]) -> None:
    """Give an order to replay, and wait until it is done."""
    answer = await client.post("/v1/replays", json=order)
    answer.raise_for_status()
    async with asyncio.timeout(_WITHIN):
        while (await client.get(f"/v1/replays/{answer.json()['id']}")).json()["state"] != "done":
            await asyncio.sleep(0.1)


async def _command(rig: Rig, service: str, *words: str) -> tuple[int, Any]:
    """Run the command `handoff` as an operator would; return its exit code and what it printed."""
    api = next(p.url for p in rig.processes.values() if p.name == f"{service}-api-0")
    told = {
        **{f"HANDOFF_OPERATIONS_DATABASE_URL_{s.upper()}": url for s, url in rig.urls.items()},
        f"HANDOFF_API_URL_{service.upper()}": api,
        "HANDOFF_KAFKA_BOOTSTRAP": rig.kafka.kafka_bootstrap,
        "HANDOFF_TOPIC_PREFIX": rig.kafka.topic_prefix,
    }
    command = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "handoff", *words,
        env={**os.environ, **told}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, complained = await command.communicate()
    print(f"handoff {' '.join(words)}: {command.returncode}", complained.decode())
    return command.returncode or 0, json.loads(said) if said else {}


def _taken_back(told: Mapping[str, Any]) -> int:
    return sum(each["taken_back"] for each in told["orders"][0]["counts"])


async def _rows(rig: Rig, service: str) -> dict[str, str]:
    """Return a digest of each table by which a restore would be seen."""
    return {table: await rig.one(service, _DIGEST.format(table=table)) for table in _RESTORED}


def _ran(rig: Rig) -> Rig:
    """Return the rig as far as its processes run."""
    ran = {process.name.partition("-")[0] for process in rig.processes.values()}
    return replace(rig, urls={name: url for name, url in rig.urls.items() if name in ran})


async def _records(rig: Rig) -> int:
    streams = await read_back(rig.kafka, [LEADS])
    return sum(len(stream.envelopes) for stream in streams.values())


async def _versions_twice(rig: Rig) -> int:
    streams = (await read_back(rig.kafka, [LEADS])).values()
    versions = [[json.loads(e.data)["lead_version"] for e in stream.firsts] for stream in streams]
    return sum(each != list(range(1, len(each) + 1)) for each in versions)


async def _scores(rig: Rig) -> list[tuple[UUID, int]]:
    rows = await rig.ask(SCORING, "SELECT lead_id, touchpoints FROM lead_score ORDER BY 1")
    return [(row[0], row[1]) for row in rows]


async def _positions(rig: Rig) -> dict[UUID, int]:
    rows = await rig.ask(SCORING, "SELECT subject, last_sequence FROM stream")
    return {row[0]: row[1] for row in rows}


async def _audited(rig: Rig, state: State) -> int:
    """Return how many streams the audit finds in this state."""
    report = await reconcile(site_of(rig), wait=0)
    return sum(each.state is state for each in report.behind)


async def _unlevel(rig: Rig) -> int:
    """Return what the audit finds, of the services whose processes run."""
    report = await reconcile(site_of(rig), wait=5)
    ran = {name.replace("_", "-") for name in _ran(rig).urls}
    odd = [each for each in report.behind if each.hearer in ran]
    return len(odd) + len(report.violations) + len(report.restored)
