"""Floor (c1), the ORM way: a lead and an outbox row by one SQLAlchemy transaction a request.

It makes its tables itself.
"""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import BigInteger, Identity, Index, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from handoff.bench.floors.database import driver_url
from handoff.bench.floors.lead import LeadIn, LeadOut, settle_memory
from shared.ids import new_id


class Base(DeclarativeBase):
    """The floor's tables."""


class Lead(Base):
    """A lead."""

    __tablename__ = "lead"
    __table_args__ = (Index("lead_key", "tenant_id", "email", "id", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[int]
    email: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]
    company: Mapped[str]
    phone: Mapped[str]
    source: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    message: Mapped[str]
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Outbox(Base):
    """What has to be told of it."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    aggregate_id: Mapped[UUID]
    topic: Mapped[str]
    key: Mapped[str]
    payload: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


engine = create_async_engine(driver_url(), pool_size=16, max_overflow=0)
Session = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncGenerator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    settle_memory()
    yield
    await engine.dispose()


app = FastAPI(lifespan=_lifespan)


@app.post("/leads", status_code=202)
async def post(lead: LeadIn) -> LeadOut:
    """Take a lead, and keep it with what is to be told of it."""
    lead_id = new_id()
    async with Session() as session, session.begin():
        session.add(Lead(id=lead_id, **lead.model_dump()))
        session.add(
            Outbox(
                aggregate_id=lead_id, topic="leads", key=str(lead_id), payload=_event(lead_id, lead)
            )
        )
    return LeadOut(id=str(lead_id), status="accepted")


def _event(lead_id: UUID, lead: LeadIn) -> bytes:
    said = {"event_id": str(new_id()), "type": "lead.accepted", "lead_id": str(lead_id)}
    return json.dumps(said | {"lead": lead.model_dump()}).encode()
