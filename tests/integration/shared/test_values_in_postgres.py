"""What the value types accept, Postgres stores and gives back: whatever is sent."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.web.values import (
    BigInt,
    Count,
    CountryCode,
    Email,
    Instant,
    JsonObject,
    LongText,
    Money,
    Name,
    Phone,
)

TEXT = st.text(max_size=60) | st.text(st.characters(categories=["L", "Cc", "Cs", "Zs"]), max_size=9)
NUMBERS = st.integers() | st.sampled_from([2**31, 2**63 - 1, 2**63, -(2**63), 10**400])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
LOCAL = st.text('abcABC.+-_ü é\0"@', min_size=1, max_size=12)
MOMENTS = st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat())

KINDS: dict[str, tuple[Any, str]] = {
    "name": (Name, "text"),
    "long_text": (LongText, "text"),
    "email": (Email, "text"),
    "phone": (Phone, "text"),
    "country": (CountryCode, "char(2)"),
    "instant": (Instant, "timestamptz"),
    "big": (BigInt, "bigint"),
    "count": (Count, "integer"),
    "amount": (Money, "bigint"),
    "extra": (JsonObject, "jsonb"),
}
SENT = st.fixed_dictionaries(
    {
        "name": TEXT,
        "long_text": TEXT,
        "email": TEXT | st.tuples(LOCAL, st.sampled_from(["x.de", "ü.de"])).map("@".join),
        "phone": TEXT | st.from_regex(r"\+(1|44|49|91) ?[0-9]{4,12}", fullmatch=True),
        "country": st.text("dezaDEZA ", max_size=3),
        "instant": MOMENTS | TEXT,
        "big": NUMBERS | st.floats() | TEXT,
        "count": NUMBERS,
        "amount": st.fixed_dictionaries(
            {"amount_minor": NUMBERS, "currency": st.sampled_from(["EUR", "usd", "XXX"])}
        ),
        "extra": st.dictionaries(TEXT, JSON, max_size=4),
    }
)


@pytest.fixture(scope="module")
async def connection(web_engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
    columns = ", ".join(f"{name} {column}" for name, (_, column) in KINDS.items())
    async with web_engine.connect() as connection:
        await connection.execute(text(f"CREATE TEMPORARY TABLE kept ({columns})"))
        await connection.execute(text("CREATE INDEX ON kept (name, email, phone)"))
        yield connection


def accepted(sent: dict[str, object]) -> dict[str, Any]:
    """Return those values that their types accept."""
    found: dict[str, Any] = {}
    for name, (kind, _) in KINDS.items():
        raw = json.dumps(sent[name])
        try:
            found[name] = TypeAdapter(kind).validate_json(raw)
        except ValidationError:
            found[name] = None
    return found


def equal(sent: object, kept: object) -> bool:
    """Compare, with numbers of jsonb as what JSON has: not told apart by their type."""
    if isinstance(sent, float | int) and isinstance(kept, float | int):
        return float(sent) == float(kept)
    if isinstance(sent, dict) and isinstance(kept, dict):
        return sent.keys() == kept.keys() and all(equal(sent[key], kept[key]) for key in sent)
    if isinstance(sent, list) and isinstance(kept, list):
        return len(sent) == len(kept) and all(map(equal, sent, kept))
    return sent == kept


async def store_and_read(connection: AsyncConnection, values: dict[str, Any]) -> dict[str, Any]:
    row = dict(values)
    if row["amount"] is not None:
        row["amount"] = row["amount"].amount_minor
    if row["extra"] is not None:
        row["extra"] = json.dumps(row["extra"], ensure_ascii=False)
    places = ", ".join(f"CAST(:{name} AS {column})" for name, (_, column) in KINDS.items())
    columns = ", ".join(KINDS)
    found = await connection.execute(
        text(f"INSERT INTO kept VALUES ({places}) RETURNING {columns}"),  # noqa: S608  our names
        row,
    )
    return dict(found.one()._mapping)  # noqa: SLF001  SQLAlchemy's public name begins so


def test_what_is_accepted_is_stored_and_given_back(connection: AsyncConnection) -> None:
    loop = asyncio.get_event_loop()
    seen = dict.fromkeys(KINDS, 0)

    @settings(
        max_examples=400, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(sent=SENT)
    def check(sent: dict[str, object]) -> None:
        values = accepted(sent)
        kept = loop.run_until_complete(store_and_read(connection, values))
        for name, value in values.items():
            amount = value.amount_minor if name == "amount" and value else value
            assert equal(amount, kept[name]), name
            seen[name] += value is not None

    check()

    assert all(seen.values()), seen
