"""The services' own invariants, as the audit asks for them: each violation is planted and found."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from tests.integration.handoff.conftest import Handoff
from tests.integration.handoff.databases import LEADS, SCORES
from tests.integration.handoff.world import DEAL, NUMBER, SUBMISSION, TASK, World

from shared.clock import utc_now
from shared.ids import first_id_of, new_id


async def a_submission_stands_still(world: World) -> None:
    await world.submit("key:2", "received", ago=61, lead=None)


async def a_key_has_no_submission(world: World) -> None:
    await world.run("marketing-intake", "DELETE FROM submission")


async def a_key_has_two_submissions(world: World) -> None:
    values = (new_id(), world.source, "key:1", utc_now(), "updated", world.lead)
    await world.run("marketing-intake", SUBMISSION, *values)


async def a_created_lead_is_not_there(world: World) -> None:
    await world.submit("key:2", "created", lead=new_id())


async def a_lead_was_never_said(world: World) -> None:
    statement = "INSERT INTO lead (id, version, stamp, created_at, updated_at)"
    await world.run(
        "marketing-intake", f"{statement} VALUES ($1, 1, '{{}}', now(), now())", new_id()
    )


async def a_lead_was_captured_twice(world: World) -> None:
    await world.say("marketing-intake", LEADS, "lead.captured.v1", sequence=2)


async def an_email_is_nobodys_key(world: World) -> None:
    await world.run("marketing-intake", "DELETE FROM identity_key")


async def two_leads_have_one_email(world: World) -> None:
    other = new_id()
    await world.databases.say(other, 1)
    await world.run(
        "marketing-intake", "ALTER TABLE identity_key DROP CONSTRAINT identity_key_pkey"
    )
    await world.own("ann@example.com", other)


async def a_captured_lead_has_no_score(world: World) -> None:
    await world.run("lead-scoring", "DELETE FROM lead_score")


async def a_lead_has_two_scores(world: World) -> None:
    await world.run("lead-scoring", "ALTER TABLE lead_score DROP CONSTRAINT lead_score_pkey")
    await world.run("lead-scoring", "INSERT INTO lead_score SELECT * FROM lead_score")


async def a_score_is_of_nobody(world: World) -> None:
    await world.run("lead-scoring", "UPDATE lead_score SET lead_id = $1", new_id())


async def a_qualified_lead_was_not_said(world: World) -> None:
    await world.run("lead-scoring", "UPDATE outbox_archive SET type = 'lead.scored.v1'")


async def a_number_is_missing(world: World) -> None:
    await world.say("lead-scoring", SCORES, "lead.scored.v1", sequence=3)


async def a_number_was_given_twice(world: World) -> None:
    await world.say("lead-scoring", SCORES, "lead.scored.v1", sequence=1)


async def an_event_is_heard_and_parked(world: World) -> None:
    await world.databases.park("notifier", world.lead, 1, reason="poison")


async def two_deals_are_open(world: World) -> None:
    await world.run("sales-pipeline", "DROP INDEX deal_one_open_a_lead")
    await world.run("sales-pipeline", DEAL, world.lead, new_id(), None)


async def a_deal_was_not_said(world: World) -> None:
    await world.run("sales-pipeline", DEAL, world.lead, new_id(), "lost")


async def a_won_deal_has_no_order(world: World) -> None:
    await world.run("sales-pipeline", "UPDATE deal SET outcome = 'won', closed_at = now()")


async def a_qualified_lead_has_no_deal(world: World) -> None:
    await world.run("sales-pipeline", "DELETE FROM deal")


async def a_deal_has_no_task(world: World) -> None:
    await world.run("notifier", "DELETE FROM task")


async def an_event_made_two_tasks(world: World) -> None:
    await world.run("notifier", "DROP INDEX task_once")
    await world.run("notifier", TASK, world.lead, world.opened, new_id())


Spoil = Callable[[World], Coroutine[Any, Any, None]]
_MENDING = {
    two_leads_have_one_email: ("marketing-intake", ("TRUNCATE identity_key; "
        "ALTER TABLE identity_key ADD PRIMARY KEY (kind, value)")),
    a_lead_has_two_scores: ("lead-scoring", ("TRUNCATE lead_score; "
        "ALTER TABLE lead_score ADD PRIMARY KEY (lead_id)")),
    two_deals_are_open: ("sales-pipeline", ("TRUNCATE deal CASCADE; "
        "CREATE UNIQUE INDEX deal_one_open_a_lead ON deal (lead_id) WHERE outcome IS NULL")),
    an_event_made_two_tasks: ("notifier", ("TRUNCATE task; "
        "CREATE UNIQUE INDEX task_once ON task (playbook_id, trigger_event_id)")),
}  # fmt: skip
VIOLATIONS: list[tuple[Spoil, str]] = [
    (a_submission_stands_still, "outcome_in_time"),
    (a_key_has_no_submission, "key_and_submission"),
    (a_key_has_two_submissions, "key_and_submission"),
    (a_created_lead_is_not_there, "created_and_lead"),
    (a_lead_was_never_said, "captured_once"),
    (a_lead_was_captured_twice, "captured_once"),
    (an_email_is_nobodys_key, "one_lead_an_email"),
    (two_leads_have_one_email, "one_lead_an_email"),
    (a_captured_lead_has_no_score, "lead_captured_has_score"),
    (a_lead_has_two_scores, "one_score_a_lead"),
    (a_score_is_of_nobody, "one_score_a_lead"),
    (a_qualified_lead_was_not_said, "qualified_and_said"),
    (a_number_is_missing, "said_once_in_order"),
    (a_number_was_given_twice, "said_once_in_order"),
    (an_event_is_heard_and_parked, "parked_or_heard"),
    (two_deals_are_open, "one_open_deal_a_lead"),
    (a_deal_was_not_said, "deal_and_said"),
    (a_won_deal_has_no_order, "won_and_order"),
    (a_qualified_lead_has_no_deal, "lead_qualified_has_deal"),
    (a_deal_has_no_task, "deal_opened_has_task"),
    (an_event_made_two_tasks, "one_task_an_event"),
]


async def test_a_lead_that_went_all_the_way_breaks_nothing(world: World) -> None:
    report = await world.audit()

    assert (report.fine, report.violations, report.behind) == (True, [], [])


@pytest.mark.parametrize(
    ("spoil", "invariant"), VIOLATIONS, ids=[spoil.__name__ for spoil, _ in VIOLATIONS]
)
async def test_a_planted_violation_is_found_by_both_looks(
    world: World, spoil: Spoil, invariant: str
) -> None:
    await spoil(world)
    full, lately = await world.audit(), await world.audit(since=300)
    if spoil in _MENDING:
        await world.run(*_MENDING[spoil])

    assert invariant in full.broken
    assert full.missing >= 1
    assert not full.fine
    assert lately.broken == full.broken


async def test_what_a_week_old_backup_lacks_is_not_asked_of_archives_that_forgot_it(
    world: World,
) -> None:
    old = first_id_of(utc_now() - timedelta(days=40))
    day = (utc_now() - timedelta(days=30)).date()
    table = f"outbox_archive_{day:%Y%m%d}"
    bounds = f"FROM ('{day}') TO ('{day + timedelta(days=1)}')"
    partition = f"CREATE TABLE {table} PARTITION OF outbox_archive FOR VALUES {bounds}"
    await world.run("marketing-intake", partition)
    statement = "INSERT INTO lead (id, version, stamp, created_at, updated_at)"
    await world.run("marketing-intake", f"{statement} VALUES ($1, 1, '{{}}', now(), now())", old)
    await world.run("marketing-intake", NUMBER, LEADS, old, 7)
    for hearer in ("lead-scoring", "sales-pipeline", "notifier"):
        await world.databases.hear(hearer, old, 7)
    report = await world.audit()
    await world.run("marketing-intake", f"DROP TABLE {table}")

    assert report.violations == []


async def test_a_condition_or_a_late_playbook_owes_no_task(world: World) -> None:
    await world.run("notifier", "UPDATE playbook SET updated_at = now()")
    await a_deal_has_no_task(world)
    report = await world.audit()

    assert report.violations == []


async def test_the_command_names_the_lead_and_the_invariant(world: World, handoff: Handoff) -> None:
    await a_qualified_lead_has_no_deal(world)
    answer = handoff("audit", "--wait", "0", "--since", "5m")

    assert answer.returncode == 1
    assert f"{world.lead}  sales-pipeline, lead_qualified_has_deal" in answer.stdout
    assert "1 leads missing or broken" in answer.stdout
    assert "handoff trace" in answer.stdout


@pytest.mark.parametrize("words", ["yesterday", "10", "-5m", "2099-01-01T00:00:00Z", "2026-01-01"])
def test_a_time_that_is_none_is_wrong_use(handoff: Handoff, words: str) -> None:
    answer = handoff("audit", f"--since={words}")

    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr
    assert "10m" in answer.stderr
