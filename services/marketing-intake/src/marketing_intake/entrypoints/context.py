"""What every route needs: the database, who may ask, sources, and the way to store."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from marketing_intake.adapters.sources import SourceBook
from marketing_intake.entrypoints.door import Door
from marketing_intake.entrypoints.waiting import Waiting
from shared.web.keys import Keyring


@dataclass(frozen=True, slots=True)
class Context:
    """Handed to each module of routes by `api.py`; `secret` is that of the erased."""

    engine: AsyncEngine
    keyring: Keyring
    sources: SourceBook
    door: Door
    waiting: Waiting
    secret: bytes
