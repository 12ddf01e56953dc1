"""Create tasks, the playbooks that make them, and what is known of leads and reps."""

from alembic import op

from shared.database import migrate

revision = "0001"
down_revision = None

TABLES = """
-- What the notifier knows of a lead: the card moves only to a higher version, 0 is none yet.
CREATE TABLE lead (
    id              uuid PRIMARY KEY,
    version         int         NOT NULL,
    card            jsonb       NOT NULL,
    -- the last LeadDisqualified heard of each of its names: {name: [event id, lead version]}
    disqualified    jsonb       NOT NULL DEFAULT '{}',
    aliases         jsonb       NOT NULL DEFAULT '{}', -- name: [of which name, since its version]
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);

CREATE TABLE rep (
    id         uuid PRIMARY KEY,
    version    int         NOT NULL,
    name       text        NOT NULL,
    email      text        NOT NULL,
    state      text        NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- Never deleted, only disabled: tasks name it.
CREATE TABLE playbook (
    id             uuid PRIMARY KEY,
    name           text        NOT NULL,
    enabled        boolean     NOT NULL,
    event          text        NOT NULL,
    condition      jsonb       NOT NULL,
    task_kind      text        NOT NULL,
    title          text        NOT NULL,
    due_in_seconds int         NOT NULL CHECK (due_in_seconds >= 0),
    grace_seconds  int         NOT NULL CHECK (grace_seconds >= 0),
    role           text        NOT NULL CHECK (role IN ('deal_owner', 'marketing')),
    version        int         NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX playbook_in_use ON playbook (id) WHERE enabled;

-- A task has no foreign key on its playbook: thousands a second would lock the same few rows.
CREATE TABLE task (
    id               uuid PRIMARY KEY,
    playbook_id      uuid        NOT NULL,
    playbook         text        NOT NULL,
    trigger_event_id uuid        NOT NULL,
    informed_by      uuid        NOT NULL,
    lead_id          uuid        NOT NULL,
    opened_for       uuid        NOT NULL, -- by what name events go, where the lead has merged
    deal_id          uuid        NOT NULL,
    owner_id         uuid,
    role             text        NOT NULL CHECK (role IN ('deal_owner', 'marketing')),
    kind             text        NOT NULL,
    title            text        NOT NULL,
    due_at           timestamptz NOT NULL,
    grace_seconds    int         NOT NULL,
    state            text        NOT NULL
        CHECK (state IN ('open', 'due', 'overdue', 'completed', 'cancelled')),
    next_at          timestamptz,
    finished_at      timestamptz,
    cause            text
        CHECK (cause IN ('deal_closed', 'lead_disqualified', 'lead_erased')),
    version          int         NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CHECK ((next_at IS NOT NULL) = (state IN ('open', 'due'))),
    CHECK ((finished_at IS NOT NULL) = (state IN ('completed', 'cancelled'))),
    CHECK ((cause IS NOT NULL) = (state = 'cancelled'))
) WITH (fillfactor = 90);
-- One task per playbook and trigger event, never two.
CREATE UNIQUE INDEX task_once ON task (playbook_id, trigger_event_id);
-- What the timer looks for.
CREATE INDEX task_next ON task (next_at, lead_id) WHERE next_at IS NOT NULL;
-- What lists filter and sort by.
CREATE INDEX task_of_lead ON task (lead_id, due_at, id);
CREATE INDEX task_of_deal ON task (deal_id, due_at, id);
CREATE INDEX task_of_owner ON task (owner_id, state, due_at, id);
CREATE INDEX task_of_role ON task (role, state, due_at, id);

-- What `handoff trace` shows of a lead beside the events: what waits for its time, and what ended
-- without a word.
CREATE VIEW story AS
SELECT * FROM said_story
UNION ALL
SELECT lead_id, next_at, 'waiting', 'task.' || kind, id, NULL, NULL, NULL, NULL,
       trigger_event_id, CASE state WHEN 'open' THEN 'until it is due'
                                    ELSE 'until it is overdue' END
FROM task WHERE next_at IS NOT NULL
UNION ALL
SELECT lead_id, finished_at, 'step', 'task.cancelled', id, NULL, NULL, NULL, NULL,
       trigger_event_id, kind || ': ' || cause
FROM task WHERE state = 'cancelled';

-- What the audit looks for beside the messages: a row is a lead of which something is not so.
CREATE VIEW broken AS
SELECT * FROM messaging_broken
UNION ALL
-- Nobody is asked twice to do one thing. (The index task_once holds it; a restore may have come
-- without it.)
SELECT 'one_task_an_event', lead_id, format('%s tasks of one playbook and one event', count(*))
FROM task GROUP BY lead_id, playbook_id, trigger_event_id HAVING count(*) > 1;

-- A playbook without a condition makes a task of every such event. Counted from a minute after its
-- last change: a batch that was under way then went by what the playbook said before.
CREATE OR REPLACE VIEW owed AS
SELECT 'handoff.deals.v1'::text AS topic, event || '.v1' AS type,
       updated_at + interval '1 minute' AS since, 'task of ' || id AS effect
FROM playbook WHERE enabled AND condition = '{}';
CREATE OR REPLACE VIEW effect AS
SELECT lead_id AS subject, 'task of ' || playbook_id AS effect, trigger_event_id AS event_id
FROM task
UNION ALL
SELECT a.subject, 'task of ' || t.playbook_id, t.trigger_event_id
FROM alias a JOIN task t ON t.lead_id = a.alias_of;
"""

# Fixed ids, so that every site means the same playbook by the same id.
DEFAULTS = """
INSERT INTO playbook
    (id, name, enabled, event, condition, task_kind, title, due_in_seconds, grace_seconds, role)
SELECT CAST('019ab000-0000-7000-8000-00000000000' || nth AS uuid), name, true, event,
       condition::jsonb, task_kind, title,
       extract(epoch FROM due_in::interval)::int, extract(epoch FROM grace::interval)::int, role
FROM (VALUES
    (1, 'first contact', 'deal.opened', '{}', 'first_contact',
     'First contact with {name}', '1 hour', '1 hour', 'deal_owner'),
    (2, 'nurture', 'deal.recycled', '{}', 'nurture',
     'Nurture {name}: sales gave them back ({reason})', '7 days', '7 days', 'marketing'),
    (3, 'follow up', 'deal.stage_changed', '{"stage": "proposal"}', 'follow_up',
     'Follow up on the proposal to {name}', '3 days', '1 day', 'deal_owner'),
    (4, 'welcome call', 'deal.won', '{}', 'welcome_call',
     'Welcome call to {name}', '1 day', '1 day', 'deal_owner'),
    (5, 'check in', 'deal.won', '{}', 'check_in',
     'Check in with {name}', '30 days', '7 days', 'deal_owner'),
    (6, 'ask why', 'deal.lost', '{}', 'ask_why',
     'Ask {name} why they did not buy', '14 days', '7 days', 'deal_owner')
) AS r (nth, name, event, condition, task_kind, title, due_in, grace, role)
"""


def upgrade() -> None:
    bind = op.get_bind()
    for script in ("0001_messaging", "0001_api_key", "0001_idempotency"):
        migrate.execute_script(bind, script)
    migrate.execute_many(bind, TABLES)
    migrate.execute_many(bind, DEFAULTS)
    migrate.grant_operations(bind)
