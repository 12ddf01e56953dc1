"""What is owed for an event: to all names of a lead, and to nobody who was given up or erased."""

from uuid import UUID

import pytest
from tests.integration.handoff.test_invariants import (
    Spoil,
    a_captured_lead_has_no_score,
    a_deal_has_no_task,
    a_qualified_lead_has_no_deal,
)
from tests.integration.handoff.world import World

from shared.ids import new_id

_ERASED = "INSERT INTO subject (id, erased_at) VALUES ($1, now())"


async def test_nothing_is_owed_to_the_erased_nor_for_what_was_given_up(world: World) -> None:
    await a_captured_lead_has_no_score(world)
    await a_qualified_lead_has_no_deal(world)
    await world.run("lead-scoring", _ERASED, world.lead)
    await world.give_up("sales-pipeline", world.lead)
    report = await world.audit()

    assert {each.service for each in report.violations} <= {"sales-pipeline"}
    assert set(report.broken) <= {"deal_and_said"}


async def test_many_who_are_owed_nothing_hide_none_of_those_who_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handoff.audit.portions.SMALL", 2)
    monkeypatch.setattr("handoff.audit.invariants._MOST_A_PORTION", 3)
    erased, missing = sorted(UUID(int=each) for each in range(1, 4)), [new_id() for _ in range(2)]
    for lead in (*erased, *missing):
        await world.databases.say(lead, 1)
        await world.databases.all_hear(lead, 1)
    for lead in erased:
        await world.run("lead-scoring", _ERASED, lead)
    await a_captured_lead_has_no_score(world)
    report = await world.audit()
    found = {each.subject for each in report.violations if each.service == "lead-scoring"}

    assert found == {world.lead, *missing}


async def test_nothing_is_owed_for_what_its_publisher_gave_up(world: World) -> None:
    await a_captured_lead_has_no_score(world)
    await world.run("lead-scoring", "UPDATE outbox_archive SET type = 'lead.scored.v1'")
    await world.give_up("marketing-intake", world.lead)
    report = await world.audit()

    assert report.violations == []


async def test_an_order_that_gave_nothing_up_excuses_nothing(world: World) -> None:
    await a_qualified_lead_has_no_deal(world)
    await world.give_up("sales-pipeline", world.lead, count=0)
    report = await world.audit()

    assert report.broken["lead_qualified_has_deal"] == 1


async def test_a_merged_lead_breaks_nothing(world: World) -> None:
    await world.merge_another()
    full, lately = await world.audit(), await world.audit(since=300)

    assert (full.fine, full.violations, full.behind) == (True, [], [])
    assert lately.violations == []


@pytest.mark.parametrize(
    ("spoil", "invariant"),
    [
        (a_captured_lead_has_no_score, "lead_captured_has_score"),
        (a_qualified_lead_has_no_deal, "lead_qualified_has_deal"),
        (a_deal_has_no_task, "deal_opened_has_task"),
    ],
)
async def test_what_is_owed_to_a_merged_lead_its_survivor_has(
    world: World, spoil: Spoil, invariant: str
) -> None:
    await world.merge_another()
    await spoil(world)
    full, lately = await world.audit(), await world.audit(since=300)
    found = {each.subject for each in full.violations if each.invariant == invariant}

    assert found == {world.lead, world.merged}
    assert lately.broken == full.broken


@pytest.mark.parametrize("named", ["lead", "merged"])
async def test_what_was_given_up_by_one_name_is_owed_to_none(world: World, named: str) -> None:
    await world.merge_another()
    await a_qualified_lead_has_no_deal(world)
    await world.give_up("sales-pipeline", getattr(world, named))
    report = await world.audit()

    assert "lead_qualified_has_deal" not in report.broken


async def test_nothing_is_owed_to_a_name_that_was_heard_of_after_the_erasure(world: World) -> None:
    await world.merge_another()
    await a_deal_has_no_task(world)
    erased = "UPDATE subject SET erased_at = now() WHERE id = $1"
    await world.run("notifier", erased, world.lead)
    report = await world.audit()

    assert report.violations == []


async def test_sales_may_be_told_by_the_other_name_and_that_may_not_be_sent_yet(
    world: World,
) -> None:
    await world.merge_another()
    own = "UPDATE outbox_archive SET type = 'lead.scored.v1' WHERE subject = $1"
    await world.run("lead-scoring", own, world.lead)
    waits = """
        WITH sent AS (DELETE FROM outbox_archive WHERE subject = $1 RETURNING *)
        INSERT INTO outbox (event_id, topic, subject, sequence, type, payload, headers)
        SELECT event_id, topic, subject, sequence, type, payload, headers FROM sent
    """
    await world.run("lead-scoring", waits, world.merged)
    report = await world.audit()

    assert report.violations == []
