"""The messaging tables as SQLAlchemy knows them; their DDL is `database/ddl/0001_messaging.sql`."""

from sqlalchemy import (
    BigInteger,
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

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("event_id", Uuid),
    Column("topic", Text),
    Column("subject", Uuid),
    Column("sequence", BigInteger),
    Column("type", Text),
    Column("payload", LargeBinary),
    Column("headers", JSONB),
    Column("created_at", DateTime(timezone=True)),
)

stream = Table(
    "stream",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("subject", Uuid, primary_key=True),
    Column("last_sequence", BigInteger),
    Column("last_event_id", Uuid),
    Column("heard_at", DateTime(timezone=True)),
)

parked_event = Table(
    "parked_event",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("topic", Text),
    Column("subject", Uuid),
    Column("sequence", BigInteger),
    Column("event_id", Uuid),
    Column("type", Text),
    Column("reason", Text),
    Column("value", LargeBinary),
    Column("headers", JSONB),
    Column("partition", Integer),
    Column("offset", BigInteger),
    Column("error", Text),
    Column("traceback", Text),
)

unreadable_record = Table(
    "unreadable_record",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("headers", JSONB),
    Column("error", Text),
)
