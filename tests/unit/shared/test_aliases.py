"""About whom something was that was said by one name of a merged lead."""

import json

import pytest

from shared.aliases import Alias, from_json, is_about, to_json
from shared.ids import LeadId, new_id

A, B, C, OTHER = (LeadId(new_id()) for _ in range(4))
ALIASES = {A: Alias(B, 5), B: Alias(C, 9), OTHER: Alias(C, 7)}


@pytest.mark.parametrize(
    ("name", "said_of", "version", "expected"),
    [
        (A, A, 1, True),
        (A, B, 4, False),
        (A, B, 5, True),
        (A, C, 8, False),
        (A, C, 9, True),
        (OTHER, C, 8, True),
        (B, A, 4, False),
        (C, B, 9, False),
        (OTHER, B, 8, False),
    ],
)
def test_a_survivor_speaks_for_its_aliases_from_the_merge_on(
    name: LeadId, said_of: LeadId, version: int, *, expected: bool
) -> None:
    assert is_about(name, said_of=said_of, version=version, aliases=ALIASES) is expected


def test_aliases_are_what_they_were_once_they_were_stored() -> None:
    assert from_json(json.loads(json.dumps(to_json(ALIASES)))) == ALIASES
