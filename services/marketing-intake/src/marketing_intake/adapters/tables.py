"""The tables as SQLAlchemy knows them: their columns, for bulk writes and comparison.

The DDL with its indexes and checks is in `migrations/versions/`.
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()
_MOMENT = DateTime(timezone=True)

source = Table(
    "source",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", Integer),
    Column("name", Text),
    Column("kind", Text),
    Column("channel", Text),
    Column("mapping", JSONB),
    Column("success_url", ARRAY(Text)),
    Column("honeypot", Text),
    Column("phone_region", Text),
    Column("default_consent", JSONB),
    Column("token", Text),
    Column("token_hash", LargeBinary),
    Column("google_key_hash", LargeBinary),
    Column("created_at", _MOMENT),
    Column("updated_at", _MOMENT),
)

submission = Table(
    "submission",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("source_id", Uuid),
    Column("key", Text),
    Column("content_hash", LargeBinary),
    Column("body", LargeBinary),
    Column("sender", JSONB),
    Column("traceparent", Text),
    Column("received_at", _MOMENT),
    Column("state", Text),
    Column("outcome", Text),
    Column("reason", Text),
    Column("lead_id", Uuid),
    Column("resolution", BigInteger),
    Column("resolved_at", _MOMENT),
    Column("created_at", _MOMENT),
    Column("updated_at", _MOMENT),
)

lead = Table(
    "lead",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", Integer),
    Column("email", Text),
    Column("phone", Text),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("company", Text),
    Column("job_title", Text),
    Column("country", Text),
    Column("stamp", JSONB),
    Column("erased_at", _MOMENT),
    Column("merged_into", Uuid),
    Column("created_at", _MOMENT),
    Column("updated_at", _MOMENT),
)

identity_key = Table(
    "identity_key",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("lead_id", Uuid),
)

lead_phone = Table(
    "lead_phone",
    metadata,
    Column("phone", Text, primary_key=True),
    Column("lead_id", Uuid, primary_key=True),
)

touchpoint = Table(
    "touchpoint",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("lead_id", Uuid),
    Column("submission_id", Uuid),
    Column("source_id", Uuid),
    Column("kind", Text),
    Column("channel", Text),
    Column("occurred_at", _MOMENT),
    Column("received_at", _MOMENT),
    Column("detail", JSONB),
    Column("created_at", _MOMENT),
    Column("updated_at", _MOMENT),
)

consent = Table(
    "consent",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("lead_id", Uuid),
    Column("purpose", Text),
    Column("granted", Boolean),
    Column("text", Text),
    Column("occurred_at", _MOMENT),
    Column("received_at", _MOMENT),
    Column("submission_id", Uuid),
)

suggested_duplicate = Table(
    "suggested_duplicate",
    metadata,
    Column("lead_id", Uuid, primary_key=True),
    Column("like_id", Uuid, primary_key=True),
)

erased_identity = Table(
    "erased_identity",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("erased_at", _MOMENT),
)
