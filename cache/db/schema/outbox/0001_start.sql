-- The outbox: writes that local apps were promised. Upstream cannot send them again; every commit is synced to disk.

CREATE TABLE fact (
    name  TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;

CREATE TABLE entry (
    id              INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of acceptance; never used twice
    conversation    TEXT,                    -- null: a bulk update, a barrier for all
    method          TEXT NOT NULL,
    path            TEXT NOT NULL,
    headers         TEXT NOT NULL,           -- the identity headers it came with, as JSON
    body            BLOB NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'conflict', 'failed', 'delivered')),
    attempts        INTEGER NOT NULL DEFAULT 0, -- counted before each sending
    created_at      INTEGER NOT NULL,
    next_attempt_at INTEGER,
    settled_at      INTEGER,
    upstream_key    TEXT NOT NULL,           -- Idempotency-Key of every attempt
    client_key      TEXT,                    -- Idempotency-Key of the local app
    request_hash    BLOB NOT NULL,
    base            TEXT,                    -- the fields it changes, as they were mirrored when it came
    last_status     INTEGER,
    last_error      TEXT,
    response        BLOB
);
CREATE INDEX entry_by_state ON entry (state, id);
CREATE INDEX entry_by_conversation ON entry (conversation, id);
CREATE UNIQUE INDEX entry_by_client_key ON entry (client_key) WHERE client_key IS NOT NULL;
