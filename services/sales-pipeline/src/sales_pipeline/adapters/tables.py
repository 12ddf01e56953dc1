"""The pipeline's own tables, as SQLAlchemy knows them; the DDL is the migrations'."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()
MOMENT = DateTime(timezone=True)

lead = Table(
    "lead",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", Integer),
    Column("card", JSONB),
    Column("aliases", JSONB),
    Column("scores", JSONB),
    Column("judgements", JSONB),
    Column("created_at", MOMENT),
    Column("updated_at", MOMENT),
)

rep = Table(
    "rep",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text),
    Column("email", Text),
    Column("state", Text),
    Column("version", Integer),
    Column("created_at", MOMENT),
    Column("updated_at", MOMENT),
)

team = Table(
    "team",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("fallback_rep_id", Uuid),
    Column("last_rep_id", Uuid),
)

deal = Table(
    "deal",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("lead_id", Uuid),
    Column("opened_for", Uuid),
    Column("owner_id", Uuid),
    Column("stage", Text),
    Column("score", SmallInteger),
    Column("grade", Text),
    Column("asked_at", MOMENT),
    Column("amount_minor", BigInteger),
    Column("currency", Text),
    Column("expected_close_on", Date),
    Column("accepted_by", Uuid),
    Column("accepted_at", MOMENT),
    Column("flag_reason", Text),
    Column("flagged_at", MOMENT),
    Column("outcome", Text),
    Column("closed_at", MOMENT),
    Column("close_reason", Text),
    Column("version", Integer),
    Column("created_at", MOMENT),
    Column("updated_at", MOMENT),
)

timeline_entry = Table(
    "timeline_entry",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("deal_id", Uuid),
    Column("lead_id", Uuid),
    Column("kind", Text),
    Column("text", Text),
    Column("detail", JSONB),
    Column("occurred_at", MOMENT),
    Column("created_at", MOMENT),
    Column("updated_at", MOMENT),
)

customer = Table(
    "customer",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("lead_id", Uuid),
    Column("name", Text),
    Column("order_count", Integer),
    Column("last_purchase_at", MOMENT),
    Column("lifetime_value", JSONB),
    Column("aliases", JSONB),
    Column("created_at", MOMENT),
    Column("updated_at", MOMENT),
)

sales_order = Table(
    "sales_order",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("deal_id", Uuid),
    Column("lead_id", Uuid),
    Column("customer_id", Uuid),
    Column("owner_id", Uuid),
    Column("amount_minor", BigInteger),
    Column("currency", Text),
    Column("placed_at", MOMENT),
    Column("created_at", MOMENT),
    Column("updated_at", MOMENT),
)
