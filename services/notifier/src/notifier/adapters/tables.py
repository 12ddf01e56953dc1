"""The notifier's own tables, as SQLAlchemy knows them; the DDL is the migrations'."""

from sqlalchemy import Boolean, Column, DateTime, Integer, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()
MOMENT = DateTime(timezone=True)

lead = Table(
    "lead",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", Integer),
    Column("card", JSONB),
    Column("disqualified", JSONB),
    Column("aliases", JSONB),
    Column("created_at", MOMENT),
    Column("updated_at", MOMENT),
)

rep = Table(
    "rep",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", Integer),
    Column("name", Text),
    Column("email", Text),
    Column("state", Text),
    Column("created_at", MOMENT),
    Column("updated_at", MOMENT),
)

playbook = Table(
    "playbook",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text),
    Column("enabled", Boolean),
    Column("event", Text),
    Column("condition", JSONB),
    Column("task_kind", Text),
    Column("title", Text),
    Column("due_in_seconds", Integer),
    Column("grace_seconds", Integer),
    Column("role", Text),
    Column("version", Integer),
    Column("created_at", MOMENT),
    Column("updated_at", MOMENT),
)

task = Table(
    "task",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("playbook_id", Uuid),
    Column("playbook", Text),
    Column("trigger_event_id", Uuid),
    Column("informed_by", Uuid),
    Column("lead_id", Uuid),
    Column("opened_for", Uuid),
    Column("deal_id", Uuid),
    Column("owner_id", Uuid),
    Column("role", Text),
    Column("kind", Text),
    Column("title", Text),
    Column("due_at", MOMENT),
    Column("grace_seconds", Integer),
    Column("state", Text),
    Column("next_at", MOMENT),
    Column("finished_at", MOMENT),
    Column("cause", Text),
    Column("version", Integer),
    Column("created_at", MOMENT),
    Column("updated_at", MOMENT),
)
