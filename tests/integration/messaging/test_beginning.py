"""What a worker says at its start of a Kafka that is not as it must be; and who goes on without."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from aiokafka.admin import NewTopic
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.stack import beginning
from tests.stack.databases import opened
from tests.stack.fixtures import DatabaseFor
from tests.stack.keys import bearer, make_key
from tests.stack.nodes import some_nodes
from tests.stack.services import environment, running, service
from tests.stack.topics import drop

from handoff.bench.leads import a_lead
from shared.contracts.catalogue import PARTITIONS
from shared.kafka import topics
from shared.kafka.admin import administrator
from shared.kafka.topics import physical
from shared.settings import KafkaSettings

PACKAGE = "lead_scoring"
WORKER = f"{PACKAGE}.worker"
SCORES = "handoff.scores.v1"
HEARD_OR_SAID = 4
ONE_IS_ENOUGH = "or HANDOFF_KAFKA_REPLICATION=1 where one node is all there is."


@pytest.fixture(scope="module")
async def url(database_for: DatabaseFor) -> str:
    return await database_for(PACKAGE)


@pytest.fixture(scope="module")
async def narrow(kafka_settings: KafkaSettings) -> AsyncGenerator[KafkaSettings]:
    """Topics of which one has three partitions."""
    settings = kafka_settings.model_copy(
        update={"topic_prefix": f"{kafka_settings.topic_prefix}narrow."}
    )
    async with administrator(settings) as admin:
        await admin.create_topics([NewTopic(physical(settings, SCORES), 3, 1)])
    await topics.apply(settings)
    yield settings
    await drop(settings)


async def test_topics_with_too_few_partitions_are_refused_with_what_adds_some(
    url: str, narrow: KafkaSettings
) -> None:
    how = await beginning.ended(environment(url, narrow, "narrow"), "-m", WORKER)

    name = physical(narrow, SCORES)
    assert how.code == 1
    assert how.last_words == (
        f"Topic {name}: 3 partitions instead of {PARTITIONS}; add some by"
        f" `kafka-topics.sh --alter --topic {name} --partitions {PARTITIONS}`."
    )


async def test_what_is_kept_once_is_refused_unless_it_is_said_to_be_enough(
    url: str, kafka_settings: KafkaSettings
) -> None:
    told = environment(url, kafka_settings, "kept-once", kafka_replication="3")
    how = await beginning.ended(told, "-m", WORKER)

    assert how.code == 1
    assert "min.insync.replicas is 1 instead of 2; set it on the topic" in how.last_words
    assert "1 copies instead of 3 (HANDOFF_KAFKA_REPLICATION)" in how.last_words
    assert how.last_words.count(ONE_IS_ENOUGH) == 2 * HEARD_OR_SAID
    assert "handoff.reps.v1" not in how.last_words


async def test_topics_that_are_missing_are_waited_for_and_not_made_by_being_asked_for(
    url: str, tmp_path: Path
) -> None:
    async with some_nodes(tmp_path, 1, by_itself=True) as nodes:
        kafka = nodes.settings()
        process = service(environment(url, kafka, "waits"), tmp_path / "log", WORKER)
        async with running(process):
            said = await beginning.said(process, "waits_for_topics")
            waiting = await process.troubles()
            async with administrator(kafka) as admin:
                found = await admin.list_topics()
            await topics.apply(kafka)
            await process.ready()
            warned = await beginning.said(process, "amiss")

    assert said.count("missing; run `handoff topics apply`.") == HEARD_OR_SAID
    assert "infrastructure: Topic" in waiting
    assert [name for name in found if name.startswith(kafka.topic_prefix)] == []
    assert warned.endswith("set auto.create.topics.enable=false on them.")


async def test_brokers_that_are_away_are_waited_for_by_their_settings(
    url: str, kafka_settings: KafkaSettings, tmp_path: Path
) -> None:
    told = environment(url, kafka_settings, "away", kafka_bootstrap="127.0.0.1:1")
    async with running(service(told, tmp_path / "log", WORKER)) as process:
        said = await beginning.said(process, "waits_for_topics")

    assert said.startswith("Kafka at 127.0.0.1:1 does not answer")
    assert "see HANDOFF_KAFKA_BOOTSTRAP, HANDOFF_KAFKA_CA and HANDOFF_KAFKA_USER" in said


@pytest.fixture(scope="module")
async def intake(database_for: DatabaseFor) -> AsyncGenerator[AsyncEngine]:
    async with opened(await database_for("marketing_intake")) as engine:
        yield engine


async def test_an_api_takes_leads_whatever_its_kafka_is_like(
    intake: AsyncEngine, narrow: KafkaSettings, tmp_path: Path
) -> None:
    url = intake.url.set(drivername="postgresql").render_as_string(hide_password=False)
    told = environment(url, narrow, "takes", kafka_replication="3")
    key = bearer(await make_key(intake, "leads:write", "sources:write"))
    async with running(service(told, tmp_path / "log", "marketing_intake.api")) as process:
        await process.ready()
        async with httpx.AsyncClient(base_url=process.url, headers=key, timeout=15) as client:
            wanted = {"name": "Fair", "kind": "api", "channel": "advertising"}
            source = (await client.post("/v1/sources", json=wanted)).json()["id"]
            json = {"Content-Type": "application/json"}
            lead = a_lead(1, source_id=source)
            answer = await client.post("/v1/leads", content=lead, headers=json)

    assert answer.status_code == 202
    assert beginning.amiss(tmp_path / "log") == []
