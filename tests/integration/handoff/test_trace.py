"""One lead's story out of four real databases and Kafka."""

import json
from collections.abc import AsyncGenerator
from uuid import UUID

import pytest
from tests.integration.handoff.conftest import Handoff
from tests.integration.handoff.databases import LEADS, Databases

from handoff.site import Site
from handoff.trace.tracing import trace
from shared.clock import utc_now
from shared.contracts.envelope import Envelope
from shared.ids import new_id
from shared.kafka import client
from shared.kafka.port import Ack, Sender
from shared.kafka.topics import physical


@pytest.fixture
async def producer(databases: Databases) -> AsyncGenerator[Sender]:
    sender = client.producer(databases.kafka)
    await sender.start()
    yield sender
    await client.stop(sender)


async def publish(
    databases: Databases, producer: Sender, lead_id: UUID, event_id: UUID, sequence: int
) -> Ack:
    """Send an event to Kafka and write into the archive where it came to lie."""
    envelope = Envelope(
        event_id=event_id, topic=LEADS, subject=lead_id, sequence=sequence, kind="lead.captured",
        version=1, said_at=utc_now(), source="marketing-intake", correlation_id=new_id(),
        causation_id=None, traceparent=None, data=b"{}",
    )  # fmt: skip
    acked = await producer.send(
        physical(databases.kafka, LEADS), b"{}", key=str(lead_id).encode(),
        headers=envelope.headers(),
    )  # fmt: skip
    ack = await acked
    await databases.owners["marketing-intake"].execute(
        'UPDATE outbox_archive SET partition = $1, "offset" = $2 WHERE event_id = $3',
        ack.partition, ack.offset, event_id,
    )  # fmt: skip
    return ack


async def test_a_story_tells_where_each_event_is_and_who_has_heard_it(
    databases: Databases, producer: Sender
) -> None:
    lead_id = new_id()
    ids = await databases.say(lead_id, 2)
    acks = [
        await publish(databases, producer, lead_id, each, number)
        for number, each in enumerate(ids, start=1)
    ]
    await databases.all_hear(lead_id, 2)
    await databases.hear("notifier", lead_id, 1)
    found = await trace(databases.site, lead_id)

    assert found is not None
    first, second = (step for step in found.steps if step.kind == "said")
    assert [first.id, second.id] == ids
    assert (first.service, first.event) == ("marketing-intake", "lead.captured")
    assert [(each.partition, each.offset) for each in (first, second)] == [
        (ack.partition, ack.offset) for ack in acks
    ]
    assert (first.in_kafka, second.in_kafka) == ("there", "there")
    assert first.not_heard_by == []
    assert second.not_heard_by == ["notifier"]
    assert found.waiting == [f"notifier has not read {LEADS} number 2 yet"]


async def test_another_record_at_an_events_place_is_noticed(
    databases: Databases, producer: Sender
) -> None:
    lead_id = new_id()
    [event_id] = await databases.say(lead_id, 1)
    await publish(databases, producer, lead_id, event_id, 1)
    await databases.owners["marketing-intake"].execute(
        "UPDATE outbox_archive SET event_id = $1 WHERE event_id = $2", new_id(), event_id
    )
    found = await trace(databases.site, lead_id)

    assert found is not None
    assert [each.in_kafka for each in found.steps] == ["another"]


async def test_an_archive_that_reaches_further_than_kafka_is_noticed(databases: Databases) -> None:
    lead_id = new_id()
    await databases.say(lead_id, 1, offset=10_000)
    found = await trace(databases.site, lead_id)

    assert found is not None
    assert [each.in_kafka for each in found.steps] == ["lost"]


async def test_what_is_parked_and_what_was_not_sent_is_waited_for(databases: Databases) -> None:
    lead_id = new_id()
    await databases.say(lead_id, 2, waiting=1)
    await databases.all_hear(lead_id, 1)
    await databases.owners["notifier"].execute("TRUNCATE stream")
    await databases.park("notifier", lead_id, 1, reason="poison")
    found = await trace(databases.site, lead_id)

    assert found is not None
    assert [each.kind for each in found.steps] == ["said", "said", "state", "parked"]
    assert f"marketing-intake has not sent {LEADS} number 2 yet" in found.waiting
    assert any(f"handoff parked show {lead_id}" in sentence for sentence in found.waiting)


async def test_without_kafka_the_databases_tell_what_they_know(databases: Databases) -> None:
    lead_id = new_id()
    await databases.say(lead_id, 1)
    found = await trace(Site(databases.urls, {}, None), lead_id)

    assert found is not None
    assert not found.kafka_answered
    assert [each.in_kafka for each in found.steps] == [None]


async def test_the_command_prints_a_story_for_people_and_for_programs(
    databases: Databases, producer: Sender, handoff: Handoff
) -> None:
    lead_id = new_id()
    [event_id] = await databases.say(lead_id, 1)
    ack = await publish(databases, producer, lead_id, event_id, 1)
    await databases.all_hear(lead_id, 1)
    people, programs = handoff("trace", str(lead_id)), handoff("trace", str(lead_id), "--json")

    assert people.returncode == 0, people.stderr
    assert f"{LEADS} #1 at {ack.partition}/{ack.offset} ✓" in people.stdout
    assert "It waits for nothing." in people.stdout
    assert json.loads(programs.stdout)["steps"][0]["id"] == str(event_id)


def test_an_unknown_lead_ends_with_1_and_what_is_no_id_with_2(handoff: Handoff) -> None:
    unknown, wrong = handoff("trace", str(new_id())), handoff("trace", "anna@example.com")

    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "No database knows a lead" in unknown.stderr
    assert wrong.returncode == 2
    assert "is not an id" in wrong.stderr


@pytest.mark.parametrize("asked", ["alias", "survivor"])
async def test_a_merged_lead_has_one_story_by_either_name(asked: str, databases: Databases) -> None:
    alias, survivor = new_id(), new_id()
    of_alias, of_survivor = await databases.say(alias, 2), await databases.say(survivor, 1)
    await databases.owners["marketing-intake"].execute(
        "INSERT INTO subject (id, alias_of) VALUES ($1, NULL), ($2, $1)", survivor, alias
    )
    await databases.all_hear(survivor, 1)
    await databases.hear("notifier", alias, 1)
    found = await trace(databases.site, alias if asked == "alias" else survivor)

    assert found is not None
    assert (found.lead_id, found.aliases) == (survivor, [alias])
    said = {step.id for step in found.steps if step.kind == "said"}
    assert said == {*of_alias, *of_survivor}
    by_id = {step.id: step for step in found.steps}
    assert by_id[of_alias[0]].heard_by == ["notifier"]
    assert by_id[of_alias[1]].heard_by == []
    assert len(by_id[of_survivor[0]].heard_by) == 3
