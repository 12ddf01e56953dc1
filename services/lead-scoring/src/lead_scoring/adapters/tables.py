"""Scoring's own tables, as SQLAlchemy knows them; the DDL is the migrations'."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()
MOMENT = DateTime(timezone=True)

scorecard = Table(
    "scorecard",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", Integer),
    Column("state", Text),
    Column("revision", Integer),
    Column("book", JSONB),
    Column("published_at", MOMENT),
    Column("created_at", MOMENT),
    Column("updated_at", MOMENT),
)

lead_score = Table(
    "lead_score",
    metadata,
    Column("lead_id", Uuid, primary_key=True),
    Column("version", Integer),
    Column("person", JSONB),
    Column("touchpoints", Integer),
    Column("score", Integer),
    Column("grade", Text),
    Column("fit", Integer),
    Column("engagement", Integer),
    Column("entries", JSONB),
    Column("scorecard_id", Uuid),
    Column("scorecard_version", Integer),
    Column("qualification", Text),
    Column("reason", Text),
    Column("engaged_at", MOMENT),
    Column("qualified_at", MOMENT),
    Column("ended_at", MOMENT),
    Column("ended_as", Text),
    Column("deals", JSONB),
    Column("created_at", MOMENT),
    Column("updated_at", MOMENT),
)

touchpoint = Table(
    "touchpoint",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("lead_id", Uuid),
    Column("event_id", Uuid),
    Column("occurred_at", MOMENT),
    Column("submitted", Boolean),
    Column("facts", JSONB),
)
