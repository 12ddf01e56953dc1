"""Create scorecards, scores and touchpoints; publish the first scorecard."""

import json
from pathlib import Path

from alembic import op
from sqlalchemy import text

from shared.database import migrate
from shared.ids import new_id

revision = "0001"
down_revision = None

TABLES = """
-- One row per version of the rules. What is published never changes and exactly one is active.
CREATE TABLE scorecard (
    id           uuid PRIMARY KEY,
    version      int UNIQUE,
    state        text        NOT NULL CHECK (state IN ('draft', 'active', 'retired')),
    revision     int         NOT NULL,
    book         jsonb       NOT NULL,
    published_at timestamptz,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CHECK ((state = 'draft') = (version IS NULL)),
    CHECK ((version IS NULL) = (published_at IS NULL))
);
CREATE UNIQUE INDEX scorecard_active ON scorecard (state) WHERE state = 'active';
CREATE INDEX scorecard_in_state ON scorecard (state, id);

CREATE FUNCTION keep_published_scorecard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'scorecard % is published and stays', OLD.id;
    ELSIF (NEW.id, NEW.version, NEW.book, NEW.published_at, NEW.created_at)
            IS DISTINCT FROM (OLD.id, OLD.version, OLD.book, OLD.published_at, OLD.created_at)
            OR (OLD.state, NEW.state) <> ('active', 'retired') THEN
        RAISE EXCEPTION 'scorecard % is published and never changes', OLD.id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_published BEFORE UPDATE OR DELETE ON scorecard
FOR EACH ROW WHEN (OLD.state <> 'draft') EXECUTE FUNCTION keep_published_scorecard();

-- What scoring knows of a lead. Without a card (a touchpoint came first) there is no score.
CREATE TABLE lead_score (
    lead_id           uuid PRIMARY KEY,
    version           int         NOT NULL,
    person            jsonb,
    touchpoints       int         NOT NULL,
    score             int CHECK (score BETWEEN 0 AND 100),
    grade             text,
    fit               int,
    engagement        int,
    entries           jsonb       NOT NULL,
    scorecard_id      uuid        NOT NULL REFERENCES scorecard (id),
    scorecard_version int         NOT NULL,
    qualification     text        NOT NULL CHECK (qualification IN
        ('open', 'qualified', 'recycled', 'lost', 'won', 'disqualified')),
    reason            text CHECK (reason IN ('consent_withdrawn', 'unreachable')),
    engaged_at        timestamptz,
    qualified_at      timestamptz,
    ended_at          timestamptz,
    ended_as          text CHECK (ended_as IN ('recycled', 'lost', 'won')),
    deals             jsonb       NOT NULL DEFAULT '[]', -- the ids of those that are open
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL
) WITH (fillfactor = 85);
-- What lists filter by, the best first. Those whom sales does not have yet may be far below those
-- whom it has.
CREATE INDEX lead_score_of_grade ON lead_score (grade, score, lead_id);
CREATE INDEX lead_score_in_qualification ON lead_score (qualification, score, lead_id);
CREATE INDEX lead_score_updated ON lead_score (updated_at, lead_id);

-- What the rules saw of touchpoints, in the order in which they were heard.
CREATE TABLE touchpoint (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    lead_id     uuid        NOT NULL,
    event_id    uuid        NOT NULL,
    occurred_at timestamptz NOT NULL,
    submitted   boolean     NOT NULL,
    facts       jsonb       NOT NULL,
    PRIMARY KEY (lead_id, id)
);

-- What `handoff trace` shows of a lead beside the events: where it stands, and what holds it.
CREATE VIEW story AS
SELECT * FROM said_story
UNION ALL
SELECT lead_id, updated_at, 'state',
       concat('score ', score, ' ', grade, ', ', qualification), NULL, NULL, NULL, NULL, NULL, NULL,
       'qualifying is blocked: ' || reason
FROM lead_score WHERE score IS NOT NULL
UNION ALL
SELECT lead_id, updated_at, 'state', 'waits for the lead card', NULL, NULL, NULL, NULL, NULL, NULL,
       'touchpoints came before it: ' || touchpoints
FROM lead_score WHERE score IS NULL;

-- What the audit looks for beside the messages: a row is a lead of which something is not so.
CREATE VIEW broken AS
SELECT * FROM messaging_broken
UNION ALL
-- Nobody has two scores, and nobody one of whom nothing was heard, by whatever name. (The key of
-- lead_score holds the former; a restore may have come without it.)
SELECT 'one_score_a_lead', subject, format('heard of: %s, scores: %s', heard, scores)
FROM (
    SELECT subject, sum(heard) AS heard, sum(scores) AS scores
    FROM (
        SELECT subject, 1 AS heard, 0 AS scores FROM stream WHERE topic = 'handoff.leads.v1'
        UNION ALL SELECT a.alias_of, 1, 0 FROM alias a JOIN stream s ON s.subject = a.subject
        WHERE s.topic = 'handoff.leads.v1'
        UNION ALL SELECT lead_id, 0, 1 FROM lead_score WHERE score IS NOT NULL
    ) AS f GROUP BY subject
) AS c
WHERE scores > least(heard, 1)
UNION ALL
-- Qualified here means that sales was told: a LeadQualified for every lead that has the mark. Of a
-- merged lead the survivor has the mark, which may have been told by either name.
SELECT 'qualified_and_said', subject, format('has the mark: %s, LeadQualified: %s', marked, said)
FROM (
    SELECT subject, sum(marked) AS marked, sum(lately) AS lately, sum(said) AS said,
           sum(excused) AS excused
    FROM (
        SELECT lead_id AS subject, 1 AS marked,
               ((SELECT kept('outbox_archive')) @> qualified_at)::int AS lately,
               0 AS said, 0 AS excused
        FROM lead_score WHERE qualified_at IS NOT NULL
        UNION ALL SELECT a.subject, 1, 0, 0, 0
        FROM alias a JOIN lead_score l ON l.lead_id = a.alias_of WHERE l.qualified_at IS NOT NULL
        UNION ALL SELECT subject, 0, 0, 1, 0 FROM outbox WHERE type = 'lead.qualified.v1'
        UNION ALL SELECT subject, 0, 0, 1, 0 FROM outbox_archive WHERE type = 'lead.qualified.v1'
        UNION ALL SELECT a.alias_of, 0, 0, 1, 0 FROM alias a JOIN outbox o ON o.subject = a.subject
        WHERE o.type = 'lead.qualified.v1'
        UNION ALL SELECT a.alias_of, 0, 0, 1, 0
        FROM alias a JOIN outbox_archive o ON o.subject = a.subject
        WHERE o.type = 'lead.qualified.v1'
        UNION ALL SELECT subject, 0, 0, 0, 1 FROM excused
    ) AS f GROUP BY subject
) AS c
WHERE excused = 0 AND ((marked = 0 AND said > 0) OR (lately > 0 AND said = 0));

-- Whoever was captured has a score.
CREATE OR REPLACE VIEW owed AS
SELECT 'handoff.leads.v1'::text AS topic, 'lead.captured.v1'::text AS type,
       'epoch'::timestamptz AS since, 'score'::text AS effect;
CREATE OR REPLACE VIEW effect AS
SELECT lead_id AS subject, 'score'::text AS effect, NULL::uuid AS event_id
FROM lead_score WHERE score IS NOT NULL
UNION ALL
SELECT a.subject, 'score', NULL
FROM alias a JOIN lead_score l ON l.lead_id = a.alias_of WHERE l.score IS NOT NULL;
"""

FIRST = text("""
    INSERT INTO scorecard (id, version, state, revision, book, published_at, created_at, updated_at)
    VALUES (:id, 1, 'active', 1, CAST(:book AS jsonb), now(), now(), now())
""")


def upgrade() -> None:
    bind = op.get_bind()
    for script in ("0001_messaging", "0001_api_key", "0001_idempotency"):
        migrate.execute_script(bind, script)
    migrate.execute_many(bind, TABLES)
    book = json.loads(Path(__file__).with_name("0001_first_scorecard.json").read_text())
    bind.execute(FIRST, {"id": new_id(), "book": json.dumps(book)})
    migrate.grant_operations(bind)
