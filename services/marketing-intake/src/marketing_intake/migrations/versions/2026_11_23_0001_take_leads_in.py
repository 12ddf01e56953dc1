"""Make sources, submissions, leads' identity, touchpoints and consent."""

from alembic import op

from shared.database import migrate

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SOURCES = """
CREATE TABLE source (
    id               uuid PRIMARY KEY,
    version          int         NOT NULL DEFAULT 1,
    name             text        NOT NULL,
    kind             text        NOT NULL CHECK (kind IN ('api', 'form', 'google_ads')),
    channel          text        NOT NULL,
    -- a list of pairs, because their order decides and jsonb does not keep an object's
    mapping          jsonb       NOT NULL DEFAULT '[]',
    success_url      text[]      NOT NULL DEFAULT '{}',
    honeypot         text        NOT NULL,
    phone_region     text,
    default_consent  jsonb       NOT NULL DEFAULT '[]',
    token            text,
    token_hash       bytea UNIQUE,
    google_key_hash  bytea,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 'api') = (token_hash IS NULL)),
    CHECK ((kind = 'google_ads') = (google_key_hash IS NOT NULL))
);
"""

SUBMISSIONS = """
-- What a sender posted. Partitioned by day of the id (UUIDv7), the order of receipt.
CREATE TABLE submission (
    id           uuid        NOT NULL PRIMARY KEY,
    source_id    uuid        NOT NULL,
    key          text,
    content_hash bytea,
    body         bytea       NOT NULL,
    sender       jsonb       NOT NULL,
    traceparent  text,
    received_at  timestamptz NOT NULL,
    state        text        NOT NULL CHECK (state IN (
        'received', 'waiting', 'parked',
        'created', 'updated', 'duplicate', 'quarantined', 'rejected')),
    outcome      text GENERATED ALWAYS AS (
        CASE WHEN state NOT IN ('received', 'waiting', 'parked') THEN state END) STORED,
    reason       text,
    lead_id      uuid,
    resolution   bigint,
    resolved_at  timestamptz,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp()
) PARTITION BY RANGE (id);
CREATE TABLE submission_rest PARTITION OF submission DEFAULT;
-- What waits or is rarer than what made a lead, which is found newest first by the key itself.
CREATE INDEX submission_state ON submission (state, id) WHERE state <> 'created';
CREATE INDEX submission_source ON submission (source_id, id);
CREATE INDEX submission_lead ON submission (lead_id, id) WHERE lead_id IS NOT NULL;
-- Only forms whose posts bear no id have a hash here: their visitors click twice.
CREATE INDEX submission_content ON submission (source_id, content_hash)
    WHERE content_hash IS NOT NULL;

-- Drawn once a batch; a submission's resolution is this times 1,000 plus its place.
CREATE SEQUENCE submission_batch;

-- What makes a repeat safe; outlives the submission's partition.
CREATE TABLE submission_key (
    source_id  uuid        NOT NULL,
    key        text        NOT NULL,
    receipt_id uuid        NOT NULL,
    hash       bytea       NOT NULL,
    outcome    text,
    reason     text,
    lead_id    uuid,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (source_id, key)
) WITH (fillfactor = 80);
CREATE INDEX submission_key_lead ON submission_key (lead_id) WHERE lead_id IS NOT NULL;
-- For the audit alone: receipts are in order of time, so a summary of each block range will do.
CREATE INDEX submission_key_receipt ON submission_key USING brin (receipt_id)
    WITH (pages_per_range = 32, autosummarize = on);
"""

LEADS = """
CREATE TABLE lead (
    id         uuid PRIMARY KEY,
    version    int         NOT NULL,
    email      text,
    phone      text,
    first_name text,
    last_name  text,
    company    text,
    job_title  text,
    country    text,
    -- when each field was received: {"email": "2026-01-01T..."}
    stamp      jsonb       NOT NULL,
    erased_at  timestamptz,
    -- an alias: `subject.alias_of`, here for those who only read
    merged_into uuid REFERENCES lead (id),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
) WITH (fillfactor = 85);
CREATE INDEX lead_updated ON lead (updated_at, id) WHERE erased_at IS NULL AND merged_into IS NULL;
CREATE INDEX lead_merged ON lead (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE identity_key (
    kind       text        NOT NULL CHECK (kind IN ('email')),
    value      text        NOT NULL,
    lead_id    uuid        NOT NULL REFERENCES lead (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, value)
);
CREATE INDEX identity_key_lead ON identity_key (lead_id);

-- Phones, touchpoints and consents are written beside their lead, under its lock: a foreign key
-- would look each lead up again, for a fifth of what a submission costs the database.

-- Who ever showed a phone: families and switchboards share one.
CREATE TABLE lead_phone (
    phone      text        NOT NULL,
    lead_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (phone, lead_id)
);
CREATE INDEX lead_phone_lead ON lead_phone (lead_id);

CREATE TABLE touchpoint (
    id            uuid PRIMARY KEY,
    lead_id       uuid        NOT NULL,
    submission_id uuid,
    source_id     uuid        NOT NULL,
    kind          text        NOT NULL,
    channel       text        NOT NULL,
    occurred_at   timestamptz NOT NULL,
    received_at   timestamptz NOT NULL,
    detail        jsonb       NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX touchpoint_lead ON touchpoint (lead_id, occurred_at, id);
-- Whom a source brought, the newest first: all that a key which is tied to it may see.
CREATE INDEX touchpoint_brought ON touchpoint (source_id, lead_id) WHERE submission_id IS NOT NULL;

-- Evidence, append-only: for each purpose the one that was received last holds.
CREATE TABLE consent (
    id            uuid PRIMARY KEY,
    lead_id       uuid        NOT NULL,
    purpose       text        NOT NULL,
    granted       boolean     NOT NULL,
    text          text,
    occurred_at   timestamptz NOT NULL,
    received_at   timestamptz NOT NULL,
    submission_id uuid,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX consent_lead ON consent (lead_id, purpose, received_at DESC, id DESC);

CREATE TABLE suggested_duplicate (
    lead_id    uuid        NOT NULL REFERENCES lead (id),
    like_id    uuid        NOT NULL REFERENCES lead (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (lead_id, like_id)
);
CREATE INDEX suggested_duplicate_like ON suggested_duplicate (like_id);

-- Keyed hashes of how erased people were known.
CREATE TABLE erased_identity (
    hash      bytea PRIMARY KEY,
    erased_at timestamptz NOT NULL
);
"""

STORY = """
CREATE VIEW story AS
SELECT * FROM said_story
UNION ALL
SELECT lead_id, received_at, 'submission', 'received', id, NULL, NULL, NULL, NULL, NULL, NULL
FROM submission WHERE lead_id IS NOT NULL
UNION ALL
SELECT lead_id, resolved_at, 'submission', outcome, id, NULL, NULL, NULL, NULL, NULL, reason
FROM submission WHERE lead_id IS NOT NULL AND resolved_at IS NOT NULL;
"""

# Here a subject is a receipt where the row is about a submission, else a lead.
BROKEN = """
-- Between two leads there may be any number of submissions that made none.
CREATE OR REPLACE VIEW audited AS
SELECT subject FROM said_stream UNION ALL SELECT id FROM submission;

CREATE VIEW broken AS
SELECT * FROM messaging_broken
UNION ALL
-- What was answered 2xx gets an outcome. What waits for a vendor or is parked is counted elsewhere.
SELECT 'outcome_in_time', id, 'received ' || received_at || ', and nothing came of it yet'
FROM submission
WHERE state = 'received' AND received_at < clock_timestamp() - interval '60 seconds'
UNION ALL
-- A key that was answered has its submission, and a submission with a key is the only one of that
-- key. A key outlives its submission's partition, so only those are asked that are still there.
SELECT 'key_and_submission', subject, format('keys: %s, submissions: %s', keys, submissions)
FROM (
    SELECT subject, sum(keys) AS keys, sum(keyed) AS keyed, sum(submissions) AS submissions
    FROM (
        SELECT receipt_id AS subject, 1 AS keys, 0 AS keyed, 0 AS submissions FROM submission_key
        UNION ALL SELECT id, 0, (key IS NOT NULL)::int, 1 FROM submission
    ) AS f GROUP BY subject
) AS c
WHERE keyed > keys
   OR (keys > submissions AND (SELECT kept('submission')) @> minted_at(subject))
UNION ALL
-- A submission that made a lead made one, and a lead was made by one submission. (Those of a merged
-- lead are its survivor's now, which counts for both.)
SELECT 'created_and_lead', subject, format('made by %s submissions, leads: %s', made, leads)
FROM (
    SELECT subject, sum(made) AS made, sum(leads) AS leads
    FROM (
        SELECT lead_id AS subject, 1 AS made, 0 AS leads
        FROM submission WHERE lead_id IS NOT NULL AND state = 'created'
        UNION ALL SELECT id, 0, 1 FROM lead
        UNION ALL SELECT alias_of, 0, 1 FROM alias
    ) AS f GROUP BY subject
) AS c
WHERE made > leads
UNION ALL
-- A lead was told to the others, once; the one commit of lead and event.
SELECT 'captured_once', subject, format('leads: %s, LeadCaptured: %s', leads, said)
FROM (
    SELECT subject, sum(leads) AS leads, sum(said) AS said
    FROM (
        SELECT id AS subject, 1 AS leads, 0 AS said FROM lead
        UNION ALL SELECT subject, 0, 1 FROM outbox WHERE type = 'lead.captured.v1'
        UNION ALL SELECT subject, 0, 1 FROM outbox_archive WHERE type = 'lead.captured.v1'
    ) AS f GROUP BY subject
) AS c
WHERE said > 1 OR leads < said
   OR (leads > said AND (SELECT kept('outbox_archive')) @> minted_at(subject))
UNION ALL
-- One person, one lead: the e-mail that a lead shows is a key of that lead.
SELECT 'one_lead_an_email', subject, 'its e-mail is not its key'
FROM (
    SELECT subject, email, sum(leads) AS leads, sum(keys) AS keys
    FROM (
        SELECT id AS subject, email, 1 AS leads, 0 AS keys FROM lead WHERE email IS NOT NULL
        UNION ALL SELECT lead_id, value, 0, 1 FROM identity_key WHERE kind = 'email'
    ) AS f GROUP BY subject, email
) AS c
WHERE leads > keys
UNION ALL
-- ... and of no other: the key of identity_key holds that. A restore may have come without it; only
-- then is it looked for, at the price of a join.
SELECT 'one_lead_an_email', lead_id, 'another lead has the same key'
FROM identity_key
WHERE NOT EXISTS (
    SELECT FROM pg_index
    WHERE indrelid = 'identity_key'::regclass AND indisprimary AND indisvalid
) AND EXISTS (
    SELECT FROM identity_key o
    WHERE o.kind = identity_key.kind AND o.value = identity_key.value
      AND o.lead_id <> identity_key.lead_id
);
"""


def upgrade() -> None:
    connection = op.get_bind()
    for script in ("0001_messaging", "0001_api_key", "0001_idempotency"):
        migrate.execute_script(connection, script)
    for part in (SOURCES, SUBMISSIONS, LEADS, STORY, BROKEN):
        migrate.execute_many(connection, part)
    migrate.grant_operations(connection)
