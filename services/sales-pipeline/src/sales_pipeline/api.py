"""`python -m sales_pipeline.api`: answers HTTP. Wired by hand; nothing is built at import."""

import sys

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from sales_pipeline.config import Settings
from sales_pipeline.entrypoints.api import build_api
from sales_pipeline.entrypoints.context import Context
from sales_pipeline.service import SERVICE
from shared import serving
from shared.web.app import Lifespan
from shared.web.keys import Keyring


def make_api(_settings: Settings, engine: AsyncEngine, lifespan: Lifespan) -> FastAPI:
    """Return what answers HTTP."""
    return build_api(Context(engine=engine, keyring=Keyring(engine)), lifespan)


if __name__ == "__main__":
    sys.exit(serving.main(SERVICE, Settings, make_api))
