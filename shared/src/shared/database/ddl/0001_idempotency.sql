-- Answers that are given again to a repeated Idempotency-Key, version 1: the same in every
-- service's database. A change is a new script with the next number; this one never changes once
-- it is released.

-- Written in the transaction of the effect it tells of. `subject` is the lead (or rep) that the
-- answer tells of, so that an erasure finds it.
CREATE TABLE idempotency (
    key_id      text        NOT NULL,
    key         text        NOT NULL,
    fingerprint bytea       NOT NULL,
    status      smallint    NOT NULL,
    headers     jsonb       NOT NULL,
    body        text        NOT NULL,
    subject     uuid,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key_id, key)
);
CREATE INDEX idempotency_created_at ON idempotency (created_at);
CREATE INDEX idempotency_subject ON idempotency (subject) WHERE subject IS NOT NULL;
