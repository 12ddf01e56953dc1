"""The same request twice: one effect, one answer, however close together."""

import asyncio
from uuid import UUID

import pytest
from pydantic import BaseModel, SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.ids import new_id
from shared.messaging import erasure
from shared.web import idempotency
from shared.web.idempotency import StoredAnswer
from shared.web.keys import Caller
from shared.web.problems import Problem
from shared.web.values import Money

ANNA = Caller("anna00000000", "Anna", frozenset(), None)
BERT = Caller("bert00000000", "Bert", frozenset(), None)
SAME = idempotency.fingerprint("add deal", Money(amount_minor=1, currency="EUR"))
OTHER = idempotency.fingerprint("add deal", Money(amount_minor=2, currency="EUR"))


@pytest.fixture(autouse=True)
async def effects(web_engine: AsyncEngine) -> None:
    """A table in which each effect leaves a row."""
    async with web_engine.begin() as connection:
        await connection.execute(text("CREATE TABLE IF NOT EXISTS made (id uuid)"))
        await connection.execute(text("TRUNCATE made, idempotency"))


async def act(
    engine: AsyncEngine, key: str | None, *, caller: Caller = ANNA, content: bytes = SAME
) -> StoredAnswer:
    """Do what a route does: recall, or take effect and remember."""
    async with engine.begin() as connection:
        answer = await idempotency.recall(connection, caller, key, content)
        if answer is None:
            made = new_id()
            await connection.execute(text("INSERT INTO made VALUES (:id)"), {"id": made})
            await asyncio.sleep(0.02)
            answer = StoredAnswer(201, f'{{"id":"{made}"}}', {"Location": f"/v1/deals/{made}"})
            await idempotency.remember(
                connection, caller, key, content, answer=answer, subject=made
            )
    return answer


async def count(engine: AsyncEngine) -> int:
    async with engine.begin() as connection:
        return (await connection.execute(text("SELECT count(*) FROM made"))).scalar_one()


async def test_a_repeated_request_gets_the_first_answer(web_engine: AsyncEngine) -> None:
    first = await act(web_engine, "k1")
    second = (await act(web_engine, "k1")).response()

    assert await count(web_engine) == 1
    assert second.status_code == 201
    assert second.body == first.body.encode()
    assert second.headers["location"] == first.headers["Location"]
    assert second.headers["idempotency-replayed"] == "true"


async def test_many_at_once_have_one_effect_and_one_answer(web_engine: AsyncEngine) -> None:
    answers = await asyncio.gather(*(act(web_engine, "k1") for _ in range(50)))

    assert await count(web_engine) == 1
    assert len({answer.body for answer in answers}) == 1


async def test_another_content_under_the_same_key_is_refused(web_engine: AsyncEngine) -> None:
    await act(web_engine, "k1")
    with pytest.raises(Problem) as problem:
        await act(web_engine, "k1", content=OTHER)

    assert problem.value.status_code == 422
    assert problem.value.document()["errors"][0]["header"] == "Idempotency-Key"


async def test_another_caller_has_keys_of_its_own(web_engine: AsyncEngine) -> None:
    first = await act(web_engine, "k1")
    second = await act(web_engine, "k1", caller=BERT, content=OTHER)

    assert first.body != second.body


async def test_without_a_key_every_request_takes_effect(web_engine: AsyncEngine) -> None:
    await act(web_engine, None)
    await act(web_engine, None)

    assert await count(web_engine) == 2


async def test_what_was_rolled_back_may_be_tried_again(web_engine: AsyncEngine) -> None:
    async def fail() -> None:
        async with web_engine.begin() as connection:
            await idempotency.recall(connection, ANNA, "k1", SAME)
            answer = StoredAnswer(201, "{}")
            await idempotency.remember(connection, ANNA, "k1", SAME, answer=answer)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await act(web_engine, "k1")

    assert await count(web_engine) == 1


async def test_an_erasure_takes_the_answers_that_tell_of_the_lead(web_engine: AsyncEngine) -> None:
    answer = await act(web_engine, "k1")
    subject = UUID(answer.headers["Location"].rpartition("/")[2])
    async with web_engine.begin() as connection:
        await erasure.blank(connection, [subject, new_id()])
        left = await connection.scalar(text("SELECT count(*) FROM idempotency"))

    assert left == 0


class WithSecret(BaseModel):
    secret: SecretStr


def test_another_secret_makes_another_request() -> None:
    one, two = [
        idempotency.fingerprint("add source", WithSecret(secret=SecretStr(secret)))
        for secret in ("first", "second")
    ]

    assert one != two


def test_the_order_of_fields_does_not_make_another_request() -> None:
    one = Money.model_validate_json('{"amount_minor":1,"currency":"EUR"}')
    two = Money.model_validate_json('{"currency":"eur","amount_minor":1}')

    assert idempotency.fingerprint("add deal", one) == idempotency.fingerprint("add deal", two)
