"""What every route is given: the database, and the keys that open it; and the answer 404."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.web.keys import Keyring
from shared.web.problems import Problem


@dataclass(frozen=True, slots=True)
class Context:
    """Handed to each module of routes by `api.py`."""

    engine: AsyncEngine
    keyring: Keyring


def no_such(thing: str, identifier: UUID) -> Problem:
    """Return the answer to who asks for a record that is not there."""
    return Problem(
        404, "not-found", "There is no such record", f"There is no {thing} {identifier}."
    )
