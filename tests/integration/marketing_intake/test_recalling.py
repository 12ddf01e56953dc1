"""What the intake said, and its restored database does not know: what of it is there again."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.marketing_intake.conftest import Intake
from tests.stack.feeder import captured, updated
from tests.stack.services import ERASURE_SECRET
from tests.stack.voices import envelope

from marketing_intake.entrypoints.recalling import Recalling
from shared.clock import utc_now
from shared.contracts.envelope import Envelope
from shared.contracts.lead import Consent, LeadErased
from shared.ids import LeadId, new_id
from shared.messaging import subjects


async def recall(engine: AsyncEngine, *said: Envelope) -> None:
    """Have the intake recall its own words, as when they are taken back."""
    async with engine.begin() as connection:
        await subjects.lock(connection, {each.subject for each in said}, whole=True)
        await Recalling(ERASURE_SECRET.encode()).recall(connection, said)


def of(lead: LeadId, **card: object) -> Sequence[Envelope]:
    """Return what was said of a lead that came twice."""
    return [
        envelope(captured(lead, **card), 1),
        envelope(updated(lead, 2, **{**card, "company": "Later"}), 2),
    ]


async def test_a_lead_that_the_database_never_saw_is_there_again(intake: Intake) -> None:
    lead = LeadId(new_id())
    consent = Consent(purpose="email", granted=True, occurred_at=utc_now())

    await recall(intake.engine, *of(lead, phone="+442079460018", consents=(consent,)))

    shown = await intake.show(f"/v1/leads/{lead}")
    touched = await intake.rows("SELECT id FROM touchpoint WHERE lead_id = :id", id=lead)
    assert (shown["company"], shown["version"]) == ("Later", 2)
    assert shown["email"] == f"{lead}@example.com"
    assert [each["purpose"] for each in shown["consents"]] == ["email"]
    assert len(touched) == 2


async def test_the_person_is_known_when_they_come_again(intake: Intake) -> None:
    lead = LeadId(new_id())
    await recall(intake.engine, *of(lead))

    assert await intake.lead_of(email=f"{lead}@example.com") == str(lead)


async def test_to_recall_once_more_changes_nothing(intake: Intake) -> None:
    lead = LeadId(new_id())
    said = of(lead)
    await recall(intake.engine, *said)
    before = await intake.rows("SELECT * FROM lead WHERE id = :id", id=lead)

    await recall(intake.engine, *said)

    assert await intake.rows("SELECT * FROM lead WHERE id = :id", id=lead) == before


async def test_what_was_received_since_wins_and_has_the_higher_version(intake: Intake) -> None:
    lead = LeadId(new_id())
    first, second = of(lead)
    await recall(intake.engine, first)
    await intake.lead_of(email=f"{lead}@example.com", company="Newest")
    await _renumber(intake, lead)

    await recall(intake.engine, second)

    shown = await intake.show(f"/v1/leads/{lead}")
    [told] = await intake.rows(
        "SELECT convert_from(payload, 'UTF8')::jsonb AS told FROM outbox WHERE subject = :id",
        id=lead,
    )
    assert (shown["company"], shown["version"]) == ("Newest", 3)
    assert (told.told["lead"]["company"], told.told["lead_version"]) == ("Newest", 3)


async def test_an_address_that_another_lead_has_by_now_stays_that_leads(intake: Intake) -> None:
    email = f"{new_id()}@example.com"
    newer, lead = await intake.lead_of(email=email), LeadId(new_id())

    await recall(intake.engine, *of(lead, email=email))

    assert await intake.lead_of(email=email) == newer
    shown = await intake.show(f"/v1/leads/{lead}")
    assert shown["email"] is None
    assert newer in str(shown["suggested_duplicates"])


async def test_who_was_erased_is_erased_again_and_not_known_by_an_older_submission(
    intake: Intake,
) -> None:
    lead = LeadId(new_id())
    gone = LeadErased(lead_id=lead, lead_version=3, erased_at=utc_now())

    await recall(intake.engine, *of(lead), envelope(gone, 3))

    answer = await intake.http.get(f"/v1/leads/{lead}")
    kept = await intake.rows(
        "SELECT email, company FROM lead WHERE id = :id AND erased_at IS NOT NULL", id=lead
    )
    marked = await intake.rows(
        "SELECT id FROM subject WHERE id = :id AND erased_at IS NOT NULL", id=lead
    )
    hashes = await intake.rows("SELECT hash FROM erased_identity")
    assert answer.status_code == 404
    assert kept == [(None, None)]
    assert len(marked) == 1
    assert len(hashes) == 1


async def _renumber(intake: Intake, lead: LeadId) -> None:
    """Put what waits behind what is about to be taken back, as taking back does."""
    async with intake.engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE outbox SET sequence = 3 WHERE subject = $1", (lead,)
        )
