-- The messaging tables, version 1: the same in every service's database.
-- A change is a new script with the next number; this one never changes once it is released.

-- One row per subject (a lead, a rep) that this service knows: the mutex of all it knows of it.
CREATE TABLE subject (
    id         uuid PRIMARY KEY,
    alias_of   uuid REFERENCES subject (id),
    erased_at  timestamptz,
    parked_as  text CHECK (parked_as IN ('poison', 'conflict')),
    created_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 90);
CREATE INDEX subject_alias ON subject (alias_of) WHERE alias_of IS NOT NULL;
-- A range of ids finds its own aliases here; without it the audit reads all of them for each range.
CREATE INDEX subject_merged ON subject (id, alias_of) WHERE alias_of IS NOT NULL;
CREATE INDEX subject_parked ON subject (parked_as) WHERE parked_as IS NOT NULL;
CREATE INDEX subject_erased ON subject (id) WHERE erased_at IS NOT NULL;

-- The last number that was given out per topic and subject; moved under the subject's lock.
CREATE TABLE said_stream (
    topic         text   NOT NULL,
    subject       uuid   NOT NULL,
    last_sequence bigint NOT NULL,
    PRIMARY KEY (subject, topic)
) WITH (fillfactor = 80);

-- Events that wait to be sent. Rows are inserted and deleted, never updated, but for what goes out
-- blank: of an erased subject, or because Kafka does not take it and somebody gives it up.
CREATE TABLE outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id   uuid        NOT NULL UNIQUE,
    topic      text        NOT NULL,
    subject    uuid        NOT NULL,
    sequence   bigint      NOT NULL,
    type       text        NOT NULL,
    payload    bytea       NOT NULL CHECK (octet_length(payload) <= 900000),
    headers    jsonb       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX outbox_subject ON outbox (subject);

-- What was sent: the proof, and the source for publishing again. Partitioned by day.
CREATE TABLE outbox_archive (
    id           bigint      NOT NULL,
    event_id     uuid        NOT NULL,
    topic        text        NOT NULL,
    subject      uuid        NOT NULL,
    sequence     bigint      NOT NULL,
    type         text        NOT NULL,
    payload      bytea       NOT NULL,
    headers      jsonb       NOT NULL,
    created_at   timestamptz NOT NULL,
    published_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    partition    int,
    "offset"     bigint
) PARTITION BY RANGE (published_at);
CREATE TABLE outbox_archive_rest PARTITION OF outbox_archive DEFAULT;
CREATE INDEX outbox_archive_subject ON outbox_archive (subject, topic, sequence);
CREATE INDEX outbox_archive_event ON outbox_archive (event_id);
CREATE INDEX outbox_archive_id ON outbox_archive (id);
-- Rows come in the order of both, so a summary of each block range finds what is new, and a place.
CREATE INDEX outbox_archive_sent ON outbox_archive
    USING brin (published_at, "offset") WITH (pages_per_range = 32, autosummarize = on);

-- What this service had said, and did not know of any more after its database was restored: Kafka
-- still had it. The events are in the archive again; what they tell of may not be in this database,
-- so a person looks at these leads. `cause`: what was heard or posted that led to it.
CREATE TABLE taken_back (
    event_id uuid PRIMARY KEY,
    topic    text        NOT NULL,
    subject  uuid        NOT NULL,
    sequence bigint      NOT NULL,
    type     text        NOT NULL,
    cause    uuid        NOT NULL,
    heard    boolean     NOT NULL, -- the cause is an event, which can be heard again
    said_at  timestamptz NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX taken_back_subject ON taken_back (subject);

-- Subjects whose next event Kafka does not take; the relay's read leaves them out.
CREATE TABLE outbox_held (
    topic   text        NOT NULL,
    subject uuid        NOT NULL,
    error   text        NOT NULL,
    held_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, subject)
);

-- How often one row failed alone to be sent, or one event alone to be handled. Written before the
-- try, in a transaction of its own, so that what kills the process is counted too.
CREATE TABLE attempt (
    event_id uuid PRIMARY KEY,
    tries    int         NOT NULL,
    tried_at timestamptz NOT NULL DEFAULT now()
);

-- The whole memory of what was heard, for ever.
CREATE TABLE stream (
    topic         text        NOT NULL,
    subject       uuid        NOT NULL,
    last_sequence bigint      NOT NULL,
    last_event_id uuid        NOT NULL,
    heard_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject, topic)
) WITH (fillfactor = 80);

-- Events that were received and not applied, each with the raw record.
CREATE TABLE parked_event (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic     text        NOT NULL,
    subject   uuid        NOT NULL,
    sequence  bigint      NOT NULL,
    event_id  uuid        NOT NULL,
    type      text        NOT NULL,
    reason    text        NOT NULL
        CHECK (reason IN ('gap', 'poison', 'conflict', 'busy', 'behind')),
    value     bytea       NOT NULL,
    headers   jsonb       NOT NULL,
    partition int         NOT NULL,
    "offset"  bigint      NOT NULL,
    error     text,
    traceback text,
    parked_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (topic, subject, sequence)
);
CREATE INDEX parked_event_subject ON parked_event (subject, id);
CREATE INDEX parked_event_busy ON parked_event (parked_at) WHERE reason = 'busy';

-- Records that have no readable envelope at all: they belong to no lead, so they hold nobody up.
CREATE TABLE unreadable_record (
    topic     text        NOT NULL,
    partition int         NOT NULL,
    "offset"  bigint      NOT NULL,
    key       bytea,
    value     bytea,
    headers   jsonb       NOT NULL,
    error     text        NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, "offset")
);

-- When this service began to hear a topic: a younger subject's stream begins at 1.
CREATE TABLE subscription (
    topic      text PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now()
);

-- The breaker of this service's consumer, one for each version of its code: a row, so that it
-- survives restarts; what other code opened stops only that code.
CREATE TABLE breaker (
    name      text        NOT NULL,
    version   text        NOT NULL,
    in_a_row  int         NOT NULL,
    counted   int         NOT NULL,
    poisoned  int         NOT NULL,
    since     timestamptz NOT NULL DEFAULT clock_timestamp(),
    asked_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    opened_at timestamptz,
    reason    text,
    closed_at timestamptz,
    closed_by text,
    PRIMARY KEY (name, version)
);

-- Who may run a loop of which there must be one; by this database's clock.
CREATE TABLE lease (
    name       text PRIMARY KEY,
    owner      text        NOT NULL,
    epoch      bigint      NOT NULL,
    expires_at timestamptz NOT NULL
);

-- What the audit compares: the last number said and the last number heard, per topic and subject.
CREATE VIEW said AS
SELECT s.topic, s.subject, s.last_sequence, o.first_waiting, o.waiting_since, h.error AS held
FROM said_stream s
LEFT JOIN LATERAL (
    SELECT min(o.sequence) AS first_waiting, min(o.created_at) AS waiting_since
    FROM outbox o WHERE o.subject = s.subject AND o.topic = s.topic
) o ON true
LEFT JOIN outbox_held h ON h.topic = s.topic AND h.subject = s.subject;

-- Two halves instead of a full join, so that a question about one subject is answered by indexes.
CREATE VIEW heard AS
WITH parked AS NOT MATERIALIZED (
    SELECT topic, subject, min(sequence) AS first_parked, max(sequence) AS last_parked,
           count(*) AS parked,
           (array_agg(reason ORDER BY sequence))[1] AS reason,
           (array_agg(error ORDER BY sequence))[1] AS error
    FROM parked_event GROUP BY topic, subject
)
SELECT s.topic, s.subject, s.last_sequence, s.last_event_id, s.heard_at,
       p.first_parked, p.last_parked, coalesce(p.parked, 0) AS parked, p.reason, p.error
FROM stream s
LEFT JOIN parked p ON p.topic = s.topic AND p.subject = s.subject
UNION ALL
SELECT p.topic, p.subject, 0, NULL, NULL,
       p.first_parked, p.last_parked, p.parked, p.reason, p.error
FROM parked p
WHERE NOT EXISTS (SELECT FROM stream s WHERE s.topic = p.topic AND s.subject = p.subject);

CREATE VIEW subscribed AS SELECT topic, started_at FROM subscription;

-- By which names a merged lead went: its events, and what was heard of them, stay under those.
CREATE VIEW alias AS SELECT id AS subject, alias_of FROM subject WHERE alias_of IS NOT NULL;

-- The other names of each lead that has several: those that it had, and those that became it.
CREATE VIEW namesake AS
SELECT subject, alias_of AS name FROM alias
UNION ALL
SELECT alias_of, subject FROM alias
UNION ALL
SELECT a.subject, b.subject FROM alias a
JOIN alias b ON b.alias_of = a.alias_of AND b.subject <> a.subject;

-- What `trace` reads: everything that was said of a subject, and what is parked.
CREATE VIEW said_story AS
SELECT subject, created_at AS at, 'said'::text AS kind, type AS name, event_id AS id, topic,
       sequence, NULL::int AS partition, NULL::bigint AS "offset",
       (headers ->> 'causation_id')::uuid AS causation_id, 'waits in the outbox'::text AS note
FROM outbox
UNION ALL
SELECT subject, created_at, 'said', type, event_id, topic, sequence, partition, "offset",
       (headers ->> 'causation_id')::uuid, NULL
FROM outbox_archive
UNION ALL
SELECT subject, parked_at, 'parked', type, event_id, topic, sequence, partition, "offset",
       NULL, reason || coalesce(': ' || error, '')
FROM parked_event
UNION ALL
SELECT id, erased_at, 'erased', 'tombstone', NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM subject WHERE erased_at IS NOT NULL;

-- All that waits here for something: what was heard and not applied, and what Kafka does not take.
CREATE VIEW parked AS
SELECT 0 AS place, id, topic, subject, sequence, event_id, type, reason, value, headers, partition,
       "offset", error, traceback, parked_at
FROM parked_event
UNION ALL
SELECT 1, o.id, o.topic, o.subject, o.sequence, o.event_id, o.type,
       CASE WHEN o.id = f.id THEN 'held' ELSE 'behind' END, o.payload, o.headers, NULL,
       NULL, CASE WHEN o.id = f.id THEN h.error END, NULL, h.held_at
FROM outbox_held h
JOIN outbox o ON o.topic = h.topic AND o.subject = h.subject
CROSS JOIN LATERAL (
    SELECT min(first.id) AS id FROM outbox first
    WHERE first.subject = h.subject AND first.topic = h.topic
) f;

-- Why each lead is parked: the kind of the error, without what it quoted, or else the reason.
CREATE VIEW parked_cause AS
SELECT DISTINCT ON (subject, place) subject, reason, type,
       coalesce(split_part(error, ':', 1), reason) AS cause, parked_at
FROM parked WHERE reason <> 'behind'
ORDER BY subject, place, reason = 'poison' DESC, id;

-- What a person asked to be released of one cause: one order for each lead.
CREATE TABLE parking_release (
    id       uuid PRIMARY KEY,
    cause    text        NOT NULL,
    type     text,
    reason   text,
    actor    text        NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now()
);

-- What a person asked the worker to do with what is parked; done by the handler that was to hear it.
CREATE TABLE parking_order (
    id       uuid PRIMARY KEY,
    verb     text        NOT NULL CHECK (verb IN ('release', 'discard')),
    subject  uuid        NOT NULL,
    actor    text        NOT NULL,
    reason   text,
    asked_at timestamptz NOT NULL DEFAULT now(),
    done_at  timestamptz,
    count    int,
    error    text,
    release_id uuid REFERENCES parking_release (id)
);
CREATE INDEX parking_order_subject ON parking_order (subject);
CREATE INDEX parking_order_asked ON parking_order (asked_at, id);
CREATE INDEX parking_order_release ON parking_order (release_id) WHERE release_id IS NOT NULL;
CREATE INDEX parking_order_open ON parking_order (asked_at) WHERE done_at IS NULL;

-- What a person asked the worker to bring once more. `heal`: a range of topics is heard again, from
-- Kafka; `republish`: a part of the archive is sent again; `restore`: what this service said is taken
-- back from Kafka. One at a time, by the holder of a lease.
CREATE TABLE replay_order (
    id           uuid PRIMARY KEY,
    verb         text        NOT NULL CHECK (verb IN ('heal', 'republish', 'restore')),
    topics       text[]      NOT NULL,
    since        timestamptz,
    until        timestamptz,
    partition    int,
    from_offset  bigint,
    to_offset    bigint,
    lead_id      uuid,
    dry_run      boolean     NOT NULL,
    actor        text        NOT NULL,
    asked_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    epoch        bigint, -- of the lease under which it is worked on
    touched_at   timestamptz,
    place        jsonb, -- where it goes on
    counts       jsonb       NOT NULL DEFAULT '{}', -- by topic and by what became of the events
    held         text,
    done_at      timestamptz,
    cancelled_by text,
    error        text,
    field        text -- of the order, where that is what was wrong
);
CREATE INDEX replay_order_open ON replay_order (touched_at) WHERE done_at IS NULL;
-- What the audit asks beside the positions. All of it is counted per subject, so that a question
-- about a range of subjects, or about some, is answered by index ranges of each table; what a merged
-- lead's other name adds is an arm of its own that begins at the aliases of the range
-- (`subject_merged`), see docs/decisions/0014.

-- Of which times a table that is partitioned by day has all its rows: of its days (in UTC), and of
-- what comes after them. A day that is not there was dropped, also between two that are.
CREATE FUNCTION kept(parent regclass) RETURNS tstzmultirange STABLE LANGUAGE sql AS $$
    SELECT coalesce(
        range_agg(tstzrange(day, CASE WHEN day < last THEN day + interval '24 hours' END)), '{(,)}'
    )
    FROM (
        SELECT day, max(day) OVER () AS last
        FROM (
            SELECT to_date(right(c.relname, 8), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC' AS day
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = parent AND c.relname ~ '_[0-9]{8}$'
        ) AS d
    ) AS days
$$;
-- When an id (UUIDv7) was made.
CREATE FUNCTION minted_at(id uuid) RETURNS timestamptz IMMUTABLE LANGUAGE sql AS $$
    SELECT to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)
$$;

-- What the audit goes through in order, bite by bite: each id once for each row that it has to look
-- at. It is read where leads come in, which replaces it: submissions may be far more than leads.
CREATE VIEW audited AS SELECT subject FROM said_stream;

-- Whose subject moved lately, as far as this service spoke of it.
CREATE VIEW moved AS
SELECT subject, published_at AS at FROM outbox_archive
UNION ALL
SELECT subject, created_at FROM outbox;

-- Whom nothing is owed any more: the erased, and those of whom a person gave an event up. Both are
-- meant for all names of a lead, also for one that was heard of later.
CREATE VIEW excused AS
WITH given_up AS NOT MATERIALIZED (
    SELECT subject FROM parking_order WHERE verb = 'discard' AND count > 0
)
SELECT id AS subject FROM subject WHERE erased_at IS NOT NULL
UNION ALL
SELECT a.subject FROM alias a JOIN subject s ON s.id = a.alias_of WHERE s.erased_at IS NOT NULL
UNION ALL
SELECT subject FROM given_up
UNION ALL
SELECT n.subject FROM namesake n JOIN given_up g ON g.subject = n.name;

-- Of whom this database may know less than was said, because it was restored.
CREATE VIEW restored AS
SELECT subject, topic, sequence, type, event_id, said_at, heard, taken_at FROM taken_back;

-- Violations, one row each; every service adds those of its own invariants in its view `broken`.
CREATE VIEW messaging_broken AS
-- Order: what waits and what was sent are the numbers 1, 2, 3 ... up to the last that was given out,
-- each once. A hole is a lost event, a number twice is a restored database that went on.
SELECT 'said_once_in_order'::text AS invariant, subject,
       format('%s: %s events with numbers from %s to %s, where %s was the last given out',
              topic, events, lowest, highest, last) AS detail
FROM (
    SELECT topic, subject, max(last) AS last, count(sequence) AS events,
           count(DISTINCT sequence) AS numbers, min(sequence) AS lowest, max(sequence) AS highest
    FROM (
        SELECT topic, subject, last_sequence AS last, NULL::bigint AS sequence FROM said_stream
        UNION ALL SELECT topic, subject, NULL, sequence FROM outbox
        UNION ALL SELECT topic, subject, NULL, sequence FROM outbox_archive
    ) AS n GROUP BY subject, topic
) AS s
WHERE last IS NULL OR numbers <> events OR highest - lowest + 1 <> events OR highest <> last
   OR (coalesce(lowest, 0) <> 1 AND (SELECT kept('outbox_archive')) @> minted_at(subject))
UNION ALL
-- What is parked lies above the position, else it was heard and waits to be heard once more.
SELECT 'parked_or_heard', subject, format('%s: number %s is parked, and was heard', topic, sequence)
FROM parked_event p
WHERE reason <> 'conflict' AND sequence <= (
    SELECT last_sequence FROM stream s WHERE s.subject = p.subject AND s.topic = p.topic
);

-- What a service owes for an event that it heard (`owed`), and what it made (`effect`): the effect
-- belongs to the event, or, where `event_id` is NULL, to its subject. What a merged lead was owed,
-- its survivor has: that shows under both names. Those that owe replace these.
CREATE VIEW owed AS
SELECT NULL::text AS topic, NULL::text AS type, NULL::timestamptz AS since, NULL::text AS effect
WHERE false;
CREATE VIEW effect AS
SELECT NULL::uuid AS subject, NULL::text AS effect, NULL::uuid AS event_id WHERE false;
