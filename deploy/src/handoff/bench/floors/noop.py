"""Floor (a), the no-op: checks the body, makes an id, answers. No I/O."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from handoff.bench.floors.lead import LeadIn, LeadOut, settle_memory
from shared.ids import new_id


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncGenerator[None]:
    settle_memory()
    yield


app = FastAPI(lifespan=_lifespan)


@app.post("/leads", status_code=202)
async def post(_lead: LeadIn) -> LeadOut:
    """Take a lead, and keep nothing of it."""
    return LeadOut(id=str(new_id()), status="accepted")
