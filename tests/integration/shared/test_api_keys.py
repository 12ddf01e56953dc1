"""Keys in a real database: who may make them, how soon a revoked one is refused."""

import time
from datetime import timedelta

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, Depends
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.stack.running import Stack

from shared.clock import utc_now
from shared.ids import new_id
from shared.web.app import create_app
from shared.web.keys import Caller, Keyring, NewKey, new_key

CREATE = text(
    "SELECT create_api_key(:key_id, :secret_hash, :name, :scopes, :source_id, :expires_at)"
)


async def make(engine: AsyncEngine, *scopes: str, **given: object) -> NewKey:
    key = new_key()
    row = {"name": "a test", "scopes": list(scopes), "source_id": None, "expires_at": None}
    parts = {"key_id": key.key_id, "secret_hash": key.secret_hash}
    async with engine.begin() as connection:
        await connection.execute(CREATE, row | given | parts)
    return key


async def revoke(engine: AsyncEngine, key_id: str) -> bool:
    async with engine.begin() as connection:
        revoked = await connection.scalar(text("SELECT revoke_api_key(:id)"), {"id": key_id})
    return bool(revoked)


async def ask(engine: AsyncEngine, key: str | None, *, any_of: bool = False) -> httpx.Response:
    router, keyring = APIRouter(), Keyring(engine)
    require = keyring.require_any if any_of else keyring.require

    @router.get("/deals")
    async def read(caller: Caller = Depends(require("deals:read", "operate"))) -> str:  # noqa: B008, FAST002  short
        return caller.name

    app = create_app(service="tiny", version="1", routers=[router], errors={})
    headers = {"authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://tiny", headers=headers
    ) as client:
        return await client.get("/deals")


async def test_a_key_tells_who_asks(web_engine: AsyncEngine) -> None:
    source_id = new_id()
    key = await make(web_engine, "leads:write", "operate", name="the shop", source_id=source_id)
    caller = await Keyring(web_engine).caller_of(key.text)

    assert caller == Caller(
        key.key_id, "the shop", frozenset({"leads:write", "operate"}), source_id
    )


async def test_the_secret_is_not_in_the_database(web_engine: AsyncEngine) -> None:
    key = await make(web_engine, "operate")
    async with web_engine.begin() as connection:
        rows = (await connection.execute(text("SELECT api_key::text FROM api_key"))).scalars()
        dump = " ".join(rows)

    assert key.key_id in dump
    assert key.text[22:54] not in dump


async def test_a_key_with_all_scopes_is_let_in(web_engine: AsyncEngine) -> None:
    key = await make(web_engine, "deals:read", "operate")

    assert (await ask(web_engine, key.text)).status_code == 200


async def test_a_key_that_lacks_a_scope_is_told_which(web_engine: AsyncEngine) -> None:
    key = await make(web_engine, "deals:read")
    answer = await ask(web_engine, key.text)

    assert answer.status_code == 403
    assert "deals:read and operate" in answer.json()["detail"]
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


async def test_one_scope_is_enough_where_the_route_says_so(web_engine: AsyncEngine) -> None:
    key = await make(web_engine, "deals:read")
    stranger = await make(web_engine, "leads:read")

    assert (await ask(web_engine, key.text, any_of=True)).status_code == 200
    assert (await ask(web_engine, stranger.text, any_of=True)).status_code == 403


@pytest.mark.parametrize("key", [None, "junk", new_key().text], ids=["none", "junk", "of nobody"])
async def test_who_has_no_key_of_this_service_is_401(
    web_engine: AsyncEngine, key: str | None
) -> None:
    answer = await ask(web_engine, key)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_right_id_with_another_secret_is_401(web_engine: AsyncEngine) -> None:
    key, other = await make(web_engine, "deals:read", "operate"), new_key()
    async with web_engine.begin() as connection:
        await connection.execute(
            text("UPDATE api_key SET key_id = :new WHERE key_id = :old"),
            {"new": other.key_id, "old": key.key_id},
        )

    assert (await ask(web_engine, other.text)).status_code == 401


async def test_an_expired_key_is_401(web_engine: AsyncEngine) -> None:
    past = utc_now() - timedelta(seconds=1)
    key = await make(web_engine, "deals:read", "operate", expires_at=past)

    assert (await ask(web_engine, key.text)).status_code == 401


async def test_a_key_that_is_remembered_expires_in_time(
    web_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = utc_now() + timedelta(hours=1)
    key, keyring = await make(web_engine, "operate", expires_at=ends), Keyring(web_engine)
    before = await keyring.caller_of(key.text)
    monkeypatch.setattr("shared.web.keys.utc_now", lambda: ends)

    assert before is not None
    assert await keyring.caller_of(key.text) is None


async def test_a_revoked_key_is_refused_within_five_seconds(web_engine: AsyncEngine) -> None:
    key, keyring = await make(web_engine, "operate"), Keyring(web_engine)
    assert await keyring.caller_of(key.text) is not None
    assert await revoke(web_engine, key.key_id)
    began = time.monotonic()
    while await keyring.caller_of(key.text) is not None:
        assert time.monotonic() - began < 5

    assert not await revoke(web_engine, key.key_id)


async def test_a_key_that_is_known_costs_no_query(web_engine: AsyncEngine) -> None:
    key, keyring = await make(web_engine, "operate"), Keyring(web_engine)
    await keyring.caller_of(key.text)
    await web_engine.dispose()
    callers = [await keyring.caller_of(key.text) for _ in range(100)]

    assert None not in callers
    assert web_engine.pool.checkedin() == 0


async def test_its_last_use_is_marked_coarsely(web_engine: AsyncEngine) -> None:
    key = await make(web_engine, "operate")
    find = text("SELECT last_used_at FROM api_key_list WHERE key_id = :id")
    moments = []
    for _ in range(2):
        await Keyring(web_engine).caller_of(key.text)
        async with web_engine.begin() as connection:
            moments.append(await connection.scalar(find, {"id": key.key_id}))

    assert moments[0] is not None
    assert moments[0] == moments[1]


async def test_the_role_operations_makes_and_revokes_keys_and_sees_no_hash(
    stack: Stack, web_engine: AsyncEngine
) -> None:
    key = new_key()
    async with web_engine.begin() as connection:
        await connection.execute(text("GRANT SELECT ON api_key_list TO operations"))
        await connection.execute(
            text("GRANT EXECUTE ON FUNCTION create_api_key, revoke_api_key TO operations")
        )
    url = stack.url("operations", web_engine.url.database or "")
    operations = await asyncpg.connect(url, ssl=False)
    await operations.execute(
        "SELECT create_api_key($1, $2, 'the shop', '{operate}', NULL, NULL)",
        key.key_id,
        key.secret_hash,
    )
    listed = await operations.fetchrow("SELECT * FROM api_key_list WHERE key_id = $1", key.key_id)
    known = await Keyring(web_engine).caller_of(key.text)
    revoked = await operations.fetchval("SELECT revoke_api_key($1)", key.key_id)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await operations.fetch("SELECT secret_hash FROM api_key")
    await operations.close()

    assert listed is not None
    assert "secret_hash" not in dict(listed)
    assert known is not None
    assert revoked is True


async def test_nobody_else_may_make_keys(web_engine: AsyncEngine) -> None:
    allowed = text(
        "SELECT bool_or(has_function_privilege('public', oid, 'EXECUTE')) FROM pg_proc"
        " WHERE proname IN ('create_api_key', 'revoke_api_key')"
    )
    async with web_engine.begin() as connection:
        assert await connection.scalar(allowed) is False
