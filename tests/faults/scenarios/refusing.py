"""Scenarios: Kafka has no topic, takes a record never, or no longer has what was not yet heard."""

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from tests.faults.invariants import INTAKE, SCORING, Findings, balance
from tests.faults.rig.quiet import quiet
from tests.faults.rig.rig import Rig
from tests.faults.rig.waiting import not_ready, until
from tests.faults.scenarios.relaying import LEADS, say
from tests.stack.feeder import captured, feeding, updated

from shared.contracts.catalogue import PARTITIONS
from shared.ids import new_id
from shared.kafka import topics
from shared.kafka.topics import physical

_SMALL, _USUAL = "30000", "1048576"
_TOO_LARGE, _LARGE = 40_000, 1500
_MORE_THAN_A_BATCH = 12
_WITHIN = 60.0
_ALL_SCORED = "SELECT count(*) = $1 FROM lead_score"


@dataclass
class Seen:
    """What a scenario saw.

    Attributes:
        held: the subjects held, with the reason, while the topic took small records only.
        waiting: the subjects whose events waited in the outbox then.
        troubles: what the worker said of itself while the topic was missing.
        gaps: the subjects parked for want of an event before.
        heard: how many touchpoints of each lead had been scored: while parked, and in the end.
    """

    broken: Findings = field(default_factory=dict)
    held: list[tuple[UUID, str]] = field(default_factory=list)
    waiting: set[UUID] = field(default_factory=set)
    troubles: str = ""
    gaps: set[UUID] = field(default_factory=set)
    heard: list[dict[UUID, int]] = field(default_factory=list)


async def a_record_too_large(rig: Rig, lead: UUID, *, others: int) -> Seen:
    """One lead has an event that the topic does not take, among many that it does."""
    seen = Seen()
    database = await rig.database(INTAKE)
    async with _administrator(rig) as admin:
        await _set_limit(rig, admin, _SMALL)
        for number in range(others):
            await say(database, new_id())
            if number == others // 2:
                await say(database, lead)
                await say(database, lead, company=secrets.token_hex(_TOO_LARGE))
                for _ in range(_MORE_THAN_A_BATCH):
                    await say(database, lead, company=secrets.token_hex(_LARGE))
        await rig.start(INTAKE)
        await until(rig, INTAKE, "SELECT count(*) = 1 FROM outbox_held")
        await until(rig, INTAKE, "SELECT count(*) = $1 FROM outbox", 1 + _MORE_THAN_A_BATCH)
        rows = await rig.ask(INTAKE, "SELECT subject, error FROM outbox_held")
        seen.held = [(row["subject"], row["error"]) for row in rows]
        rows = await rig.ask(INTAKE, "SELECT subject FROM outbox")
        seen.waiting = {row["subject"] for row in rows}
        await _set_limit(rig, admin, _USUAL)
    await rig.ask(INTAKE, "DELETE FROM outbox_held")
    seen.broken = await balance(rig)
    return seen


async def no_topic(rig: Rig, *, leads: int) -> Seen:
    """The topic is missing when the workers start, and is made while they wait."""
    seen = Seen()
    async with _administrator(rig) as admin:
        await admin.delete_topics([physical(rig.kafka, LEADS)])
    database = await rig.database(INTAKE)
    for _ in range(leads):
        await say(database, new_id())
    workers = [rig.process(service) for service in (INTAKE, SCORING)]
    for worker in workers:
        worker.start()
    seen.troubles = await not_ready(workers[0], "loop")
    await topics.apply(rig.kafka)
    seen.broken = await balance(rig, within=_WITHIN)
    seen.heard = [await _scored(rig)]
    return seen


async def records_gone(rig: Rig, leads: list[UUID], strangers: int) -> Seen:
    """Kafka drops records before scoring has heard them; later ones of the same leads follow."""
    seen = Seen()
    worker = await rig.start(SCORING)
    async with feeding(rig.kafka) as feeder:
        heard = await feeder.say(*(captured(lead) for lead in leads))
        await quiet(rig, feeder.said)
        await worker.stop()
        lost = await feeder.say(*(updated(lead, 2) for lead in leads))
        async with _administrator(rig) as admin:
            await _drop_all(rig, admin)
        await feeder.say(*(updated(lead, 3) for lead in leads))
        await feeder.say(*(captured(new_id()) for _ in range(strangers)))
        worker.start()
        await until(rig, SCORING, "SELECT count(*) = $1 FROM parked_event", len(leads))
        await until(rig, SCORING, _ALL_SCORED, len(leads) + strangers)
        rows = await rig.ask(SCORING, "SELECT subject FROM parked_event WHERE reason = 'gap'")
        seen.gaps = {row["subject"] for row in rows}
        seen.heard.append(await _scored(rig))
        await feeder.send([*heard, *lost])  # as a publisher does that sends all of it again
        await until(rig, SCORING, "SELECT count(*) = 0 FROM parked_event")
        seen.broken = await balance(rig, fed=feeder.said)
        seen.heard.append(await _scored(rig))
    return seen


async def _scored(rig: Rig) -> dict[UUID, int]:
    rows = await rig.ask(SCORING, "SELECT lead_id, touchpoints FROM lead_score")
    return {row["lead_id"]: row["touchpoints"] for row in rows}


@asynccontextmanager
async def _administrator(rig: Rig) -> AsyncGenerator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=rig.kafka.kafka_bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def _set_limit(rig: Rig, admin: AIOKafkaAdminClient, limit: str) -> None:
    """Let the topic take records up to so many bytes."""
    limits = {"max.message.bytes": limit}
    topic = ConfigResource(ConfigResourceType.TOPIC, physical(rig.kafka, LEADS), limits)
    await admin.alter_configs([topic])


async def _drop_all(rig: Rig, admin: AIOKafkaAdminClient) -> None:
    """Drop all that the topic holds now, as its retention would."""
    await admin.delete_records(
        {
            TopicPartition(physical(rig.kafka, LEADS), number): RecordsToDelete(-1)
            for number in range(PARTITIONS)
        }
    )
