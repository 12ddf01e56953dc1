"""Every route of every service, and every kind of key before it: who is let in, and who is not."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from tests.hostile.documents import SERVICES, Operation
from tests.hostile.served import TOLD_APART, Served, serving
from tests.stack.keys import make_key
from tests.stack.running import Stack

from shared.clock import utc_now
from shared.ids import new_id
from shared.web.keys import new_key

KEY_IS_WRONG, MAY_NOT = 401, 403
PUBLIC = {
    "GET /docs": "people read what there is before they have a key",
    "GET /docs/oauth2-redirect": "a part of the page above",
    "GET /openapi.json": "programs read the same",
}
PUBLIC_AT_INTAKE = {
    "POST /v1/forms/{token}": "a visitor's browser posts to it: the address is the secret",
    "POST /v1/in/{token}": "Google Ads posts to it: the address and `google_key` are the secrets",
}


def keyed(service: Served) -> list[Operation]:
    return [route for route in service.routes if route.needs is not None]


async def statuses(service: Served, key: str | None) -> dict[str, int]:
    """Return what every route that needs a key answers to this one."""
    return {
        route.line: (await service.send(route, key=key)).status_code for route in keyed(service)
    }


async def make(
    service: Served, *, expires_at: datetime | None = None, revoked: bool = False
) -> str:
    key = new_key()
    row = {"id": key.key_id, "hash": key.secret_hash, "scopes": list(service.scopes)}
    make_it = text("SELECT create_api_key(:id, :hash, 'a test', :scopes, NULL, :expires_at)")
    async with service.engine.begin() as connection:
        await connection.execute(make_it, row | {"expires_at": expires_at})
        if revoked:
            await connection.execute(text("SELECT revoke_api_key(:id)"), row)
    return key.text


async def test_only_what_is_public_on_purpose_is_open_without_a_key(service: Served) -> None:
    open_on_purpose = PUBLIC | (PUBLIC_AT_INTAKE if service.name == "marketing-intake" else {})
    answers = {route.line: await service.send(route) for route in service.routes}
    is_open = {name for name, answer in answers.items() if answer.status_code != KEY_IS_WRONG}

    assert is_open == open_on_purpose.keys()
    assert len(answers) - len(is_open) == len(keyed(service)) > 10


async def test_a_key_with_one_scope_opens_just_what_the_document_says(service: Served) -> None:
    wrong: dict[str, str] = {}
    for scope in service.scopes:
        key = await service.key(scope)
        for route in keyed(service):
            answer = await service.send(route, key=key)
            let_in = answer.status_code not in {KEY_IS_WRONG, MAY_NOT}
            if let_in is not route.opens_with(scope) or answer.status_code >= 500:
                wrong[f"{scope} at {route.line}"] = f"{answer.status_code} {answer.text}"

    assert wrong == {}


async def test_who_lacks_a_scope_is_told_which(service: Served) -> None:
    silent: list[str] = []
    for scope in service.scopes:
        key = await service.key(scope)
        for route in keyed(service):
            if not route.opens_with(scope):
                answer = await service.send(route, key=key)
                said = answer.json()["detail"] + answer.headers["www-authenticate"]
                named = all(said.count(needed) == 2 for needed in route.needs or ())
                silent += (
                    [] if answer.status_code == MAY_NOT and named else [f"{scope} at {route.line}"]
                )

    assert silent == []


async def test_every_scope_is_needed_somewhere_and_no_other_is_asked_for(service: Served) -> None:
    asked_for = set().union(*(route.needs or () for route in service.routes))

    assert asked_for == set(service.scopes)


def _other_end(key: str) -> str:
    return key[:-1] + ("A" if key[-1] != "A" else "B")


MALFORMED: dict[str, Callable[[str], str]] = {
    "one letter is wrong": _other_end,
    "one letter is missing": lambda key: key[:-1],
    "one letter too many": lambda key: key + "0",
    "in capitals": str.upper,
    "twice": lambda key: f"{key}, {key}",
    "a null byte within": lambda key: key.replace("_", "%00"),
    "not ASCII": lambda key: key.replace("hof", "höf"),
    "of another product": lambda _: "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "a JSON web token": lambda _: "eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0.",
    "SQL": lambda _: "' OR 1=1 --",
    "very long": lambda key: key * 500,
}


@pytest.mark.parametrize("kind", MALFORMED)
async def test_what_was_never_a_key_opens_nothing(service: Served, kind: str) -> None:
    authorization = f"Bearer {MALFORMED[kind](await service.key())}".encode()
    refused = {
        route.line: (
            await service.send(route, headers={"Authorization": authorization})
        ).status_code
        for route in keyed(service)
    }

    assert set(refused.values()) == {KEY_IS_WRONG}


@pytest.mark.parametrize("scheme", ["Basic {}", "bearer{}", "{}", "Token {}", "Bearer", ""])
async def test_a_good_key_under_another_scheme_opens_nothing(service: Served, scheme: str) -> None:
    said = scheme.format(await service.key())
    answers = [await service.send(r, headers={"Authorization": said}) for r in keyed(service)]

    assert {answer.status_code for answer in answers} == {KEY_IS_WRONG}


async def test_a_good_key_in_another_place_opens_nothing(service: Served) -> None:
    key = await service.key()
    answers = [
        await service.send(route, headers={"X-API-Key": key, "Cookie": f"key={key}"})
        for route in keyed(service)
    ] + [await service.send(route, params={"access_token": key}) for route in keyed(service)]

    assert [answer.text for answer in answers if answer.is_success or key in answer.text] == []


async def test_a_key_that_nobody_made_opens_nothing(service: Served) -> None:
    assert set((await statuses(service, new_key().text)).values()) == {KEY_IS_WRONG}


async def test_a_known_id_with_another_secret_opens_nothing(service: Served) -> None:
    right, other = await make(service), new_key()
    known = right.split("_")[2]
    swap = text("UPDATE api_key SET key_id = :other WHERE key_id = :known")
    async with service.engine.begin() as connection:
        await connection.execute(swap, {"other": other.key_id, "known": known})

    assert set((await statuses(service, other.text)).values()) == {KEY_IS_WRONG}


async def test_an_expired_key_opens_nothing(service: Served) -> None:
    key = await make(service, expires_at=utc_now() - timedelta(seconds=1))

    assert set((await statuses(service, key)).values()) == {KEY_IS_WRONG}


async def test_a_revoked_key_opens_nothing(service: Served) -> None:
    key = await make(service, revoked=True)

    assert set((await statuses(service, key)).values()) == {KEY_IS_WRONG}


async def test_a_key_of_another_service_opens_nothing(service: Served, stack: Stack) -> None:
    for name in set(SERVICES) - {service.name}:
        async with serving(stack, name) as other:
            stranger = await other.key()

            known = await other.send(keyed(other)[0], key=stranger)
            assert known.status_code not in {KEY_IS_WRONG, MAY_NOT}
            assert set((await statuses(service, stranger)).values()) == {KEY_IS_WRONG}, name


async def test_a_key_that_is_tied_to_a_source_is_let_in_only_where_sources_are_told_apart(
    service: Served,
) -> None:
    key = await make_key(service.engine, *service.scopes, source_id=new_id())
    answers = {route.line: await service.send(route, key=key) for route in keyed(service)}
    let_in = {name for name, answer in answers.items() if answer.status_code != MAY_NOT}

    assert let_in == (TOLD_APART if service.name == "marketing-intake" else set())
    lists = [answer.json()["items"] for answer in answers.values() if answer.is_success]
    assert not any(lists)
