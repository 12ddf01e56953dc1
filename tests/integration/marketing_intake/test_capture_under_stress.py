"""Capture when the database is slow, away, or sent something it cannot take."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.integration.marketing_intake.conftest import Intake

from marketing_intake.adapters.capture_statement import Captured, CaptureStatement, Receipt
from marketing_intake.config import Settings
from shared import limits
from shared.clock import utc_now
from shared.database.engine import open_engine
from shared.ids import new_id


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"capture_queue_bytes": 2 * 1024 * 1024})


def a_row(**changed: object) -> Captured:
    row = {"id": new_id(), "source_id": new_id(), "body": b"{}", "received_at": utc_now()}
    return Captured(**(row | changed))


class TestTheQueue:
    async def test_above_its_bytes_the_answer_is_503_and_later_all_is_well(
        self, quiet_intake: Intake
    ) -> None:
        large = "x" * 9_000
        answers = [{"question": f"q{n}", "answer": "y" * 2_000} for n in range(190)]
        async with quiet_intake.engine.begin() as connection:
            await connection.execute(text("LOCK TABLE submission"))
            posts = [
                asyncio.create_task(
                    quiet_intake.post(email=f"q{n}@x.co", message=large, answers=answers)
                )
                for n in range(12)
            ]
            await asyncio.sleep(1.0)
        answered = await asyncio.gather(*posts)

        assert {answer.status_code for answer in answered} == {202, 503}
        refused = [answer for answer in answered if answer.status_code == 503]
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
        assert (await quiet_intake.post(email="after@x.co")).status_code == 202

    async def test_a_connection_that_is_lost_is_503_and_the_next_try_works(
        self, quiet_intake: Intake
    ) -> None:
        key = {"Idempotency-Key": str(new_id())}
        async with quiet_intake.engine.begin() as connection:
            await connection.execute(text("LOCK TABLE submission"))
            post = asyncio.create_task(quiet_intake.post(key, email="lost@x.co"))
            await asyncio.sleep(0.5)
            killed = await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks"
                    " WHERE relation = 'submission'::regclass AND NOT granted"
                )
            )
            assert killed.rowcount == 1
        lost = await post
        again = await quiet_intake.post(key, email="lost@x.co")

        assert (lost.status_code, again.status_code) == (503, 202)
        assert "Retry-After" in lost.headers


class TestTheStatement:
    @pytest.fixture
    async def racers(self, settings: Settings) -> AsyncGenerator[list[CaptureStatement]]:
        engines = [open_engine(settings, limits.API, hot=True) for _ in range(4)]
        racers = [CaptureStatement(engine) for engine in engines]
        yield racers
        for racer, engine in zip(racers, engines, strict=True):
            await racer.close()
            await engine.dispose()

    async def test_the_first_of_equal_keys_wins_and_the_others_are_told(
        self, racers: list[CaptureStatement]
    ) -> None:
        source = new_id()
        rows = [a_row(source_id=source, key="k", hash=b"same") for _ in range(3)]

        answers = await racers[0].write(rows)

        assert [answer.receipt_id for answer in answers] == [rows[0].id] * 3
        assert [answer.repeated for answer in answers] == [False, True, True]

    async def test_processes_that_race_for_keys_agree(self, racers: list[CaptureStatement]) -> None:
        source = new_id()
        keys = [f"k{n}" for n in range(200)]

        async def race(racer: CaptureStatement) -> list[UUID]:
            rows = [a_row(source_id=source, key=key, hash=b"h") for key in reversed(keys)]
            answers = await racer.write(rows)
            return [answer.receipt_id for answer in answers if isinstance(answer, Receipt)]

        first, *others = await asyncio.gather(*(race(racer) for racer in racers))

        assert len(set(first)) == len(keys)
        assert others == [first] * 3
