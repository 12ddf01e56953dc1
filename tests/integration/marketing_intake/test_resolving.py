"""The resolve loop, turned by hand: order, lateness, failures, and those who were erased."""

from uuid import UUID

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs
from tests.integration.marketing_intake.conftest import Intake

from marketing_intake.adapters import submissions
from shared.ids import new_id


async def receipt_of(intake: Intake, **lead: object) -> str:
    return (await intake.post(**lead)).json()["receipt_id"]


async def resolve(intake: Intake) -> None:
    while await intake.resolver.turn():
        pass


async def batches_of(intake: Intake) -> int:
    """Return how many numbers of batches were drawn."""
    async with intake.engine.connect() as connection:
        return await connection.scalar(text("SELECT last_value FROM submission_batch"))


UNREADABLE = '[["email", 5]]'
UNLOADABLE = "[[1, 2, 3]]"


async def set_mapping(intake: Intake, source_id: str, mapping: str) -> None:
    """Write what no API lets through, as a fault in our own code would."""
    async with intake.engine.begin() as connection:
        statement = text("UPDATE source SET mapping = CAST(:mapping AS jsonb) WHERE id = :id")
        await connection.execute(statement, {"id": UUID(source_id), "mapping": mapping})


class TestResolving:
    async def test_where_nothing_waits_a_look_writes_nothing(self, quiet_intake: Intake) -> None:
        await resolve(quiet_intake)
        before = await batches_of(quiet_intake)
        for _ in range(3):
            assert await quiet_intake.resolver.turn() == 0

        assert await batches_of(quiet_intake) == before

    async def test_each_batch_is_a_line_in_the_log_and_where_nothing_waits_there_is_none(
        self, quiet_intake: Intake
    ) -> None:
        await resolve(quiet_intake)
        for number in range(3):
            await receipt_of(quiet_intake, email=f"told{number}@told.example.com")

        with capture_logs() as logs:
            await resolve(quiet_intake)
            await quiet_intake.resolver.turn()

        [line] = logs
        assert line.pop("seconds") > 0
        assert line == {
            "event": "batch_resolved", "log_level": "info", "submissions": 3,
            "outcomes": {"created": 3},
        }  # fmt: skip

    async def test_goes_in_order_of_receipt_and_records_it(self, quiet_intake: Intake) -> None:
        receipts = [
            await receipt_of(quiet_intake, email=f"o{n}@order.example.com") for n in range(5)
        ]

        await resolve(quiet_intake)

        rows = await quiet_intake.rows(
            "SELECT id FROM submission WHERE id = ANY(:ids) ORDER BY resolution",
            ids=[UUID(receipt) for receipt in receipts],
        )
        assert [str(row.id) for row in rows] == receipts

    @pytest.mark.parametrize("mapping", [UNREADABLE, UNLOADABLE])
    async def test_what_fails_is_parked_alone_and_tried_again_when_mended(
        self, quiet_intake: Intake, mapping: str
    ) -> None:
        broken = (await quiet_intake.make_source())["id"]
        first = await receipt_of(quiet_intake, email=f"{new_id()}@parked.example.com")
        parked = await receipt_of(
            quiet_intake, email=f"{new_id()}@parked.example.com", source_id=broken
        )
        last = await receipt_of(quiet_intake, email=f"{new_id()}@parked.example.com")
        await set_mapping(quiet_intake, broken, mapping)

        await resolve(quiet_intake)

        states = [
            (await quiet_intake.show(f"/v1/submissions/{receipt}"))["state"]
            for receipt in (first, parked, last)
        ]
        assert states == ["created", "parked", "created"]
        listed = await quiet_intake.show(f"/v1/submissions?state=parked&source_id={broken}")
        assert [one["id"] for one in listed["items"]] == [parked]
        await set_mapping(quiet_intake, broken, "[]")
        retried = await quiet_intake.http.post(f"/v1/submissions/{parked}/retry")
        await resolve(quiet_intake)
        assert retried.status_code == 202
        assert (await quiet_intake.show(f"/v1/submissions/{parked}"))["outcome"] == "created"
        again = await quiet_intake.http.post(f"/v1/submissions/{parked}/retry")
        assert again.status_code == 409

    async def test_who_waits_for_a_parked_one_is_told_at_once(self, quiet_intake: Intake) -> None:
        key = {"Idempotency-Key": str(new_id())}
        broken = (await quiet_intake.make_source())["id"]
        await set_mapping(quiet_intake, broken, UNREADABLE)
        lead = {"email": "w@parked.example.com", "source_id": broken}
        await quiet_intake.post(key, **lead)
        await resolve(quiet_intake)

        answer = await quiet_intake.post(key | {"Prefer": "wait=8"}, **lead)

        assert (answer.status_code, answer.json()["state"]) == (202, "parked")

    async def test_who_waits_in_vain_gets_the_receipt(self, quiet_intake: Intake) -> None:
        answer = await quiet_intake.post({"Prefer": "wait=0"}, email="v@wait.example.com")

        assert (answer.status_code, answer.json()["outcome"]) == (202, None)

    async def test_a_late_one_changes_nothing_that_was_received_after_it(
        self, quiet_intake: Intake
    ) -> None:
        broken = (await quiet_intake.make_source())["id"]
        await set_mapping(quiet_intake, broken, UNREADABLE)
        old = {"email": "late@order.example.com", "company": "Old", "country": "DE"}
        yes = [{"purpose": "news", "granted": True}]
        late = await receipt_of(quiet_intake, **old, consents=yes, source_id=broken)
        no = [{"purpose": "news", "granted": False}]
        await receipt_of(quiet_intake, email="late@order.example.com", company="New", consents=no)
        await resolve(quiet_intake)
        await set_mapping(quiet_intake, broken, "[]")

        await quiet_intake.http.post(f"/v1/submissions/{late}/retry")
        await resolve(quiet_intake)

        shown = await quiet_intake.show(f"/v1/submissions/{late}")
        lead = await quiet_intake.show(f"/v1/leads/{shown['lead_id']}")
        assert shown["outcome"] == "updated"
        assert (lead["company"], lead["country"]) == ("New", "DE")
        assert lead["consents"][0]["granted"] is False

    async def test_a_batch_that_somebody_else_ended_leaves_no_trace(
        self, quiet_intake: Intake
    ) -> None:
        await receipt_of(quiet_intake, email="race@order.example.com")
        receipt = await receipt_of(quiet_intake, email="race2@order.example.com")
        async with quiet_intake.engine.begin() as connection:
            batch, now = await submissions.pending(connection, most=500)
            await connection.execute(
                text("UPDATE submission SET state = 'rejected' WHERE id = :id"),
                {"id": UUID(receipt)},
            )
        before = await quiet_intake.rows("SELECT count(*) AS n FROM outbox")

        with pytest.raises(submissions.OutOfStep):
            await quiet_intake.resolver.settle(batch, now)

        assert await quiet_intake.rows("SELECT count(*) AS n FROM outbox") == before


class TestThoseWhoWereErased:
    async def test_are_not_brought_back_by_what_was_received_before(
        self, quiet_intake: Intake
    ) -> None:
        lead = {"email": "late@erased.example.com", "phone": "+493055555555"}
        first = await receipt_of(quiet_intake, **lead)
        await resolve(quiet_intake)
        lead_id = (await quiet_intake.show(f"/v1/submissions/{first}"))["lead_id"]
        key = {"Idempotency-Key": str(new_id())}
        late = (await quiet_intake.post(key, **lead)).json()["receipt_id"]
        no_email = await receipt_of(quiet_intake, phone="+493055555555", last_name="Late")

        await quiet_intake.http.delete(f"/v1/leads/{lead_id}")
        await resolve(quiet_intake)

        for receipt in (late, no_email):
            shown = await quiet_intake.show(f"/v1/submissions/{receipt}")
            assert (shown["outcome"], shown["reason"]) == ("rejected", "erased")
        bodies = await quiet_intake.rows(
            "SELECT body, sender FROM submission WHERE id = ANY(:ids)",
            ids=[UUID(late), UUID(no_email)],
        )
        assert [(row.body, row.sender) for row in bodies] == [(b"", {})] * 2

    async def test_do_not_take_along_who_shares_their_phone(self, quiet_intake: Intake) -> None:
        first = await receipt_of(
            quiet_intake, email="one@erased.example.com", phone="+493066666666"
        )
        await resolve(quiet_intake)
        lead_id = (await quiet_intake.show(f"/v1/submissions/{first}"))["lead_id"]
        other = await receipt_of(
            quiet_intake, email="two@erased.example.com", phone="+493066666666"
        )

        await quiet_intake.http.delete(f"/v1/leads/{lead_id}")
        await resolve(quiet_intake)

        assert (await quiet_intake.show(f"/v1/submissions/{other}"))["outcome"] == "created"
