"""The audit on four real databases: what is lost is found, what is on its way is waited for."""

import asyncio
import json
from datetime import timedelta
from uuid import UUID

from tests.integration.handoff.conftest import Handoff
from tests.integration.handoff.databases import LEADS, Databases

from handoff.audit.behind import State
from handoff.audit.reconcile import reconcile
from handoff.site import Site
from shared.clock import utc_now
from shared.ids import new_id


async def states(databases: Databases, subject: UUID, *, wait: float = 0) -> dict[str, State]:
    """Return what the audit says of a lead, per hearer."""
    report = await reconcile(databases.site, wait=wait)
    return {each.hearer: each.state for each in report.behind if each.subject == subject}


async def test_level_databases_are_balanced(databases: Databases) -> None:
    for last in (1, 3, 2):
        lead_id = new_id()
        await databases.say(lead_id, last)
        await databases.all_hear(lead_id, last)
    report = await reconcile(databases.site, wait=0)
    [pair] = [each for each in report.pairs if (each.topic, each.hearer) == (LEADS, "notifier")]

    assert (report.balanced, report.kafka_answered, report.behind) == (True, True, [])
    assert (pair.subjects, pair.said, pair.heard) == (3, 6, 6)


async def test_what_a_hearer_passed_without_hearing_it_is_missing(databases: Databases) -> None:
    lead_id = new_id()
    await databases.say(lead_id, 3, offset=12)
    await databases.all_hear(lead_id, 3)
    await databases.hear("notifier", lead_id, 1)
    await databases.read_up_to("notifier", 12)
    report = await reconcile(databases.site, wait=0)
    [behind] = report.behind

    assert not report.balanced
    assert (behind.subject, behind.hearer, behind.state) == (lead_id, "notifier", State.MISSING)
    assert (behind.said, behind.heard) == (3, 1)


async def test_what_a_hearer_has_not_read_yet_is_in_flight(databases: Databases) -> None:
    lead_id = new_id()
    await databases.say(lead_id, 1, offset=20)
    await databases.all_hear(lead_id, 1)
    await databases.owners["notifier"].execute("TRUNCATE stream")
    await databases.read_up_to("notifier", 20)

    assert await states(databases, lead_id) == {"notifier": State.IN_FLIGHT}


async def test_what_was_not_sent_waits_in_the_outbox(databases: Databases) -> None:
    lead_id = new_id()
    await databases.say(lead_id, 2, waiting=1)
    await databases.all_hear(lead_id, 1)

    assert set((await states(databases, lead_id)).values()) == {State.OUTBOX}


async def test_what_settles_in_time_is_no_news(databases: Databases) -> None:
    lead_id = new_id()
    await databases.say(lead_id, 2, offset=1_000_000)
    await databases.all_hear(lead_id, 1)

    async def catch_up() -> None:
        await asyncio.sleep(0.7)
        await databases.all_hear(lead_id, 2)

    async with asyncio.TaskGroup() as group:
        group.create_task(catch_up())
        report = await reconcile(databases.site, wait=10)

    assert report.balanced


async def test_parked_events_are_told_and_are_no_fault(databases: Databases) -> None:
    lead_id = new_id()
    await databases.say(lead_id, 2)
    await databases.all_hear(lead_id, 2)
    await databases.hear("notifier", lead_id, 1)
    await databases.park("notifier", lead_id, 2, reason="poison")
    report = await reconcile(databases.site, wait=0)
    [behind] = report.behind

    assert report.balanced
    assert (behind.state, behind.detail) == (State.PARKED, "poison: ValueError: no")


async def test_a_lead_whose_first_event_is_parked_is_not_missing(databases: Databases) -> None:
    lead_id = new_id()
    await databases.say(lead_id, 1)
    await databases.hear("lead-scoring", lead_id, 1)
    await databases.hear("sales-pipeline", lead_id, 1)
    await databases.park("notifier", lead_id, 1, reason="poison")

    assert await states(databases, lead_id) == {"notifier": State.PARKED}


async def test_leads_whose_numbers_make_up_for_each_other_are_both_found(
    databases: Databases,
) -> None:
    alike = [UUID(f"019ab000-0000-7000-8000-00000{n}abc") for n in ("0000", "0100")]
    for lead_id, last in zip(alike, (2, 1), strict=True):
        await databases.say(lead_id, last)
        await databases.all_hear(lead_id, last)
    await databases.hear("notifier", alike[0], 1)
    await databases.hear("notifier", alike[1], 2)

    assert (await states(databases, alike[1]))["notifier"] is State.AHEAD
    assert "notifier" in await states(databases, alike[0])


async def test_a_hearer_that_began_later_counts_from_its_first_number(
    databases: Databases,
) -> None:
    lead_id = new_id()
    await databases.say(lead_id, 2, offset=5)
    await databases.all_hear(lead_id, 2)
    await databases.owners["notifier"].execute("TRUNCATE stream, subscription")
    await databases.begin("notifier", utc_now() + timedelta(seconds=1))
    await databases.read_up_to("notifier", 50)
    report = await reconcile(databases.site, wait=0)
    [pair] = [each for each in report.pairs if (each.topic, each.hearer) == (LEADS, "notifier")]

    assert report.balanced
    assert (pair.said, pair.heard) == (0, 0)


async def test_without_kafka_nothing_is_called_missing(databases: Databases) -> None:
    lead_id = new_id()
    await databases.say(lead_id, 1)
    report = await reconcile(Site(databases.urls, {}, None), wait=0)

    assert not report.kafka_answered
    assert {each.state for each in report.behind} == {State.IN_FLIGHT}


async def test_the_command_ends_with_1_and_the_leads_id(
    databases: Databases, handoff: Handoff
) -> None:
    lead_id = new_id()
    await databases.say(lead_id, 2)
    await databases.all_hear(lead_id, 2)
    level = handoff("audit")
    await databases.hear("notifier", lead_id, 1)
    await databases.read_up_to("notifier", 1_000)
    off = handoff("audit", "--wait", "0")
    told = handoff("audit", "--wait", "0", "--json")

    assert (level.returncode, "Balanced" in level.stdout) == (0, True), level.stderr
    assert off.returncode == 1
    assert f"{lead_id}  {LEADS} at notifier: heard 1 of 2, missing" in off.stdout
    assert told.returncode == 1
    assert json.loads(told.stdout)["behind"][0]["subject"] == str(lead_id)


def test_a_database_that_does_not_answer_is_said_in_a_sentence(handoff: Handoff) -> None:
    url = "postgresql://operations:x@127.0.0.1:1/notifier"
    answer = handoff("audit", HANDOFF_OPERATIONS_DATABASE_URL_NOTIFIER=url)

    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert "The database of notifier does not let us in" in answer.stderr
    assert "127.0.0.1" in answer.stderr
    assert "see HANDOFF_OPERATIONS_DATABASE_URL_NOTIFIER." in answer.stderr
