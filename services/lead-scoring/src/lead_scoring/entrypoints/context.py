"""What every route needs: the database, and who may ask."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.web.keys import Keyring


@dataclass(frozen=True, slots=True)
class Context:
    """Handed to each module of routes by `api.py`."""

    engine: AsyncEngine
    keyring: Keyring
