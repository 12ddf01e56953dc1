"""Keys: their form, and what is refused without a look into the database."""

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from shared.web.keys import Keyring, new_key, read_key


def test_a_new_key_reads_back_as_its_id_and_the_hash_of_its_secret() -> None:
    key = new_key()

    assert read_key(key.text) == (key.key_id, key.secret_hash)
    assert key.text.startswith(f"hof_live_{key.key_id}_")
    assert len(key.text) == len("hof_live_") + 12 + 1 + 32 + 6


def test_two_keys_are_never_alike() -> None:
    keys = [new_key() for _ in range(200)]

    assert len({key.key_id for key in keys}) == 200
    assert len({key.secret_hash for key in keys}) == 200


@pytest.mark.parametrize("place", [9, 20, 22, 40, 53, 59])
def test_one_wrong_letter_is_seen_by_the_checksum(place: int) -> None:
    text = new_key().text
    wrong = "A" if text[place] != "A" else "B"

    assert read_key(text[:place] + wrong + text[place + 1 :]) is None


async def test_junk_is_refused_without_the_database() -> None:
    nowhere = create_async_engine("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    junk = ["", "x", "hof_live_", "sécret", new_key().text + "\n", "hof_live_" + "a" * 51, "\0"]

    assert [await Keyring(nowhere).caller_of(text) for text in junk] == [None] * len(junk)
