"""Create the pipeline: leads' cards, reps, deals and their timelines, orders, customers."""

import json
from uuid import UUID

from alembic import op
from sqlalchemy import text

from shared.clock import utc_now
from shared.database import migrate
from shared.ids import new_id

revision = "0001"
down_revision = None

TABLES = """
-- What the pipeline knows of a lead: the card moves only to a higher version, 0 is none yet.
CREATE TABLE lead (
    id             uuid PRIMARY KEY,
    version        int         NOT NULL,
    card           jsonb       NOT NULL,
    aliases        jsonb       NOT NULL DEFAULT '{}', -- name: [of which name, since its version]
    -- scoring's last words by name, each with the version of the lead that scoring knew
    scores         jsonb       NOT NULL DEFAULT '{}',
    judgements     jsonb       NOT NULL DEFAULT '{}',
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
) WITH (fillfactor = 85);

CREATE TABLE rep (
    id         uuid PRIMARY KEY,
    name       text        NOT NULL,
    email      text        NOT NULL,
    state      text        NOT NULL CHECK (state IN ('active', 'away')),
    version    int         NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX rep_email ON rep (lower(email));

-- Whose turn was last, and who gets what nobody can take: never nobody.
CREATE TABLE team (
    id              uuid PRIMARY KEY,
    fallback_rep_id uuid NOT NULL REFERENCES rep (id),
    last_rep_id     uuid REFERENCES rep (id)
);

CREATE TABLE deal (
    id                uuid PRIMARY KEY,
    lead_id           uuid        NOT NULL REFERENCES lead (id),
    opened_for        uuid        NOT NULL, -- by what name events go, where the lead has merged
    owner_id          uuid        NOT NULL REFERENCES rep (id),
    stage             text        NOT NULL,
    score             smallint    NOT NULL,
    grade             text        NOT NULL,
    asked_at          timestamptz NOT NULL, -- when what led to the deal was received
    amount_minor      bigint,
    currency          text,
    expected_close_on date,
    accepted_by       uuid REFERENCES rep (id),
    accepted_at       timestamptz,
    flag_reason       text,
    flagged_at        timestamptz,
    outcome           text CHECK (outcome IN ('won', 'lost', 'recycled', 'erased', 'merged')),
    closed_at         timestamptz,
    close_reason      text,
    version           int         NOT NULL,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    CHECK ((outcome IS NULL) = (closed_at IS NULL)),
    CHECK ((amount_minor IS NULL) = (currency IS NULL))
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX deal_one_open_a_lead ON deal (lead_id) WHERE outcome IS NULL;
CREATE INDEX deal_of_lead ON deal (lead_id, id);
CREATE INDEX deal_opened_for ON deal (opened_for);
-- What lists filter by, each in the order of its list.
CREATE INDEX deal_of_owner ON deal (owner_id, id);
CREATE INDEX deal_at_stage ON deal (stage, id);
CREATE INDEX deal_with_outcome ON deal (outcome, id) WHERE outcome IS NOT NULL;
CREATE INDEX deal_updated ON deal (updated_at, id);
-- What is worked on: few, among all that ended.
CREATE INDEX deal_open ON deal (id) WHERE outcome IS NULL;
CREATE INDEX deal_open_of_owner ON deal (owner_id, id) WHERE outcome IS NULL;
CREATE INDEX deal_open_at_stage ON deal (stage, id) WHERE outcome IS NULL;

CREATE TABLE timeline_entry (
    id          uuid PRIMARY KEY,
    deal_id     uuid        NOT NULL REFERENCES deal (id),
    lead_id     uuid        NOT NULL,
    kind        text        NOT NULL,
    text        text,
    detail      jsonb       NOT NULL,
    occurred_at timestamptz NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE INDEX timeline_entry_of_deal ON timeline_entry (deal_id, occurred_at, id);
CREATE INDEX timeline_entry_of_lead ON timeline_entry (lead_id, id);

CREATE TABLE customer (
    id               uuid PRIMARY KEY,
    lead_id          uuid        NOT NULL UNIQUE REFERENCES lead (id),
    name             text,
    order_count      int         NOT NULL,
    last_purchase_at timestamptz NOT NULL,
    lifetime_value   jsonb       NOT NULL,
    aliases          jsonb       NOT NULL DEFAULT '[]', -- ids of before a merge
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE INDEX customer_by_alias ON customer USING gin (aliases);

CREATE TABLE sales_order (
    id           uuid PRIMARY KEY,
    deal_id      uuid        NOT NULL UNIQUE REFERENCES deal (id),
    lead_id      uuid        NOT NULL,
    customer_id  uuid        NOT NULL REFERENCES customer (id),
    owner_id     uuid        NOT NULL REFERENCES rep (id),
    amount_minor bigint      NOT NULL,
    currency     text        NOT NULL,
    placed_at    timestamptz NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE INDEX sales_order_of_lead ON sales_order (lead_id, id);
CREATE INDEX sales_order_of_customer ON sales_order (customer_id, id);

-- What `handoff trace` shows of a lead beside the events: what its deals went through.
CREATE VIEW story AS
SELECT * FROM said_story
UNION ALL
SELECT lead_id, created_at, 'step', 'timeline.' || kind, id, NULL, NULL, NULL, NULL, NULL, NULL
FROM timeline_entry;

-- What the audit looks for beside the messages: a row is a lead of which something is not so.
CREATE VIEW broken AS
SELECT * FROM messaging_broken
UNION ALL
-- Two reps on one lead. (The index deal_one_open_a_lead holds it; a restore may have come without.)
SELECT 'one_open_deal_a_lead', lead_id, format('%s open deals', count(*))
FROM deal WHERE outcome IS NULL GROUP BY lead_id HAVING count(*) > 1
UNION ALL
-- A deal that nobody was told of has no tasks, and never qualifies its lead again.
SELECT 'deal_and_said', subject, format('deals: %s, DealOpened: %s', deals, said)
FROM (
    SELECT subject, sum(deals) AS deals, sum(said) AS said
    FROM (
        SELECT opened_for AS subject, 1 AS deals, 0 AS said
        FROM deal WHERE (SELECT kept('outbox_archive')) @> created_at
        UNION ALL SELECT subject, 0, 1 FROM outbox WHERE type = 'deal.opened.v1'
        UNION ALL SELECT subject, 0, 1 FROM outbox_archive WHERE type = 'deal.opened.v1'
    ) AS f GROUP BY subject
) AS c
WHERE deals > said
UNION ALL
-- What was won is fulfilled: one order for each deal that was won.
SELECT 'won_and_order', subject, format('deals won: %s, orders: %s', won, orders)
FROM (
    SELECT subject, sum(won) AS won, sum(orders) AS orders
    FROM (
        SELECT lead_id AS subject, 1 AS won, 0 AS orders FROM deal WHERE outcome = 'won'
        UNION ALL SELECT lead_id, 0, 1 FROM sales_order
    ) AS f GROUP BY subject
) AS c
WHERE won <> orders;

-- The handoff itself: whoever qualified has a deal.
CREATE OR REPLACE VIEW owed AS
SELECT 'handoff.scores.v1'::text AS topic, 'lead.qualified.v1'::text AS type,
       'epoch'::timestamptz AS since, 'deal'::text AS effect;
CREATE OR REPLACE VIEW effect AS
SELECT lead_id AS subject, 'deal'::text AS effect, NULL::uuid AS event_id FROM deal
UNION ALL
SELECT a.subject, 'deal', NULL FROM alias a JOIN deal d ON d.lead_id = a.alias_of;
"""

FALLBACK = """
    INSERT INTO rep (id, name, email, state, version, created_at, updated_at)
    VALUES (:id, 'Unassigned queue', 'unassigned@sales.invalid', 'away', 1, now(), now())
"""

# Others know reps from what is said of them, and this one has deals before anybody edits it.
ANNOUNCE = """
    WITH known AS (INSERT INTO subject (id) VALUES (:id) RETURNING id),
    numbered AS (
        INSERT INTO said_stream (topic, subject, last_sequence)
        SELECT 'handoff.reps.v1', id, 1 FROM known RETURNING topic, subject, last_sequence
    )
    INSERT INTO outbox (event_id, topic, subject, sequence, type, payload, headers)
    SELECT :event_id, topic, subject, last_sequence, 'rep.changed.v1', :payload,
           CAST(:headers AS jsonb)
    FROM numbered
"""


def upgrade() -> None:
    bind = op.get_bind()
    for script in ("0001_messaging", "0001_api_key", "0001_idempotency"):
        migrate.execute_script(bind, script)
    migrate.execute_many(bind, TABLES)
    # The owner of last resort is there from the first moment, so no deal is without one.
    fallback = new_id()
    bind.execute(text(FALLBACK), {"id": fallback})
    headers = json.dumps({"correlation_id": str(new_id())})
    said = {"event_id": new_id(), "payload": told(fallback), "headers": headers}
    bind.execute(text(ANNOUNCE), {"id": fallback, **said})
    bind.execute(
        text("INSERT INTO team (id, fallback_rep_id) VALUES (:id, :fallback)"),
        {"id": new_id(), "fallback": fallback},
    )
    migrate.grant_operations(bind)


def told(fallback: UUID) -> bytes:
    """Return the event as it was said in this version, which never changes once released."""
    return json.dumps(
        {
            "rep_id": str(fallback),
            "rep_version": 1,
            "name": "Unassigned queue",
            "email": "unassigned@sales.invalid",
            "state": "away",
            "changed_at": utc_now().isoformat(),
        }
    ).encode()
