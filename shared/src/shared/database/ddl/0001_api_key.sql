-- API keys, version 1: the same in every service's database.
-- A change is a new script with the next number; this one never changes once it is released.

-- A key is looked up by its public id; of its secret only a hash is kept.
CREATE TABLE api_key (
    key_id       text PRIMARY KEY CHECK (key_id ~ '^[0-9A-Za-z]{12}$'),
    secret_hash  bytea       NOT NULL CHECK (octet_length(secret_hash) = 32),
    name         text        NOT NULL CHECK (name <> ''),
    scopes       text[]      NOT NULL CHECK (cardinality(scopes) > 0),
    source_id    uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz
);

-- What may be known of keys by whoever makes them: all but the hash.
CREATE VIEW api_key_list AS
    SELECT key_id, name, scopes, source_id, created_at, expires_at, revoked_at, last_used_at
    FROM api_key;

-- Keys are made and revoked through these two alone by a role that cannot see the table. Their
-- bodies are bound to the tables of this schema when they are made, whatever the caller's path.
CREATE FUNCTION create_api_key(
    key_id text, secret_hash bytea, name text, scopes text[], source_id uuid, expires_at timestamptz
) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
        INSERT INTO api_key (key_id, secret_hash, name, scopes, source_id, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6);
    END;

-- True if a live key was revoked by this call.
CREATE FUNCTION revoke_api_key(key_id text) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
        WITH revoked AS (
            UPDATE api_key SET revoked_at = now()
            WHERE api_key.key_id = $1 AND revoked_at IS NULL
            RETURNING 1
        )
        SELECT EXISTS (SELECT FROM revoked);
    END;

REVOKE ALL ON FUNCTION create_api_key, revoke_api_key FROM PUBLIC;
