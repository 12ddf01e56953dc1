"""`handoff keys`: what it gives opens the door, what it takes back does not."""

import json
from collections.abc import AsyncGenerator

import pytest
from tests.integration.handoff.conftest import Handoff
from tests.integration.handoff.databases import Databases
from tests.stack.databases import opened

from handoff import keys
from handoff.keys import short_lived
from shared import limits
from shared.ids import new_id
from shared.web.keys import Keyring, read_key

SOURCE = str(new_id())


@pytest.fixture
async def keyring(databases: Databases) -> AsyncGenerator[Keyring]:
    """Knows the keys of marketing-intake as its API does, and has no memory of older ones."""
    async with opened(databases.owner_urls["marketing-intake"], limits.API) as engine:
        yield Keyring(engine)


async def test_a_key_opens_the_door_it_was_made_for(keyring: Keyring, handoff: Handoff) -> None:
    source_id = new_id()
    answer = handoff(
        "keys", "create", "--service", "marketing-intake", "--scope", "leads:write",
        "--scope", "leads:read", "--source", str(source_id), "--name", "website", "--json",
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    caller = await keyring.caller_of(json.loads(answer.stdout)["key"])

    assert caller is not None
    assert (caller.name, caller.source_id) == ("website", source_id)
    assert caller.scopes == {"leads:write", "leads:read"}


async def test_for_people_the_key_alone_is_printed_so_that_it_can_be_piped(
    keyring: Keyring, handoff: Handoff
) -> None:
    answer = handoff(
        "keys", "create", "--service", "marketing-intake", "--scope", "leads:write", "leads:read"
    )
    caller = await keyring.caller_of(answer.stdout.strip())

    assert caller is not None
    assert caller.scopes == {"leads:write", "leads:read"}
    assert "not shown again" in answer.stderr


async def test_a_revoked_key_is_refused_and_is_still_listed(
    keyring: Keyring, handoff: Handoff
) -> None:
    made = handoff("keys", "create", "--service", "marketing-intake", "--scope", "operate")
    key = made.stdout.strip()
    parts = read_key(key)
    assert parts is not None
    key_id, secret_hash = parts
    revoked = handoff("keys", "revoke", key_id)
    again = handoff("keys", "revoke", key)
    listed = handoff("keys", "list", "--service", "marketing-intake", "--json")
    [entry] = [each for each in json.loads(listed.stdout) if each["id"] == key_id]

    assert (revoked.returncode, again.returncode) == (0, 1)
    assert await keyring.caller_of(key) is None
    assert entry["revoked_at"] is not None
    assert secret_hash.hex() not in listed.stdout


async def test_a_short_lived_key_ends_with_its_work(databases: Databases, keyring: Keyring) -> None:
    service = "marketing-intake"
    async with short_lived(databases.site, service, [keys.OPERATE], name="night shift") as key:
        caller = await keyring.caller_of(key)
    async with opened(databases.owner_urls[service], limits.API) as engine:
        after = await Keyring(engine).caller_of(key)

    assert caller is not None
    assert caller.scopes == {"operate"}
    assert after is None


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--service", "scoring", "--scope", "operate"], "lead-scoring"),
        (["--service", "notifier", "--scope", "leads:write"], "tasks:read"),
        (["--service", "notifier", "--scope", "operate", "--source", "7"], "not an id"),
        (["--service", "notifier"], "--scope"),
        (["--service", "marketing-intake", "--scope", "operate", "--source", SOURCE], "one source"),
        (["--service", "notifier", "--scope", "tasks:read", "--source", SOURCE], "intake"),
    ],
)
def test_wrong_use_is_2_and_says_what_would_be_right(
    handoff: Handoff, words: list[str], complaint: str
) -> None:
    answer = handoff("keys", "create", *words, COLUMNS="200")

    assert answer.returncode == 2
    assert complaint in answer.stderr
