-- The outbox of all nodes: any of them accepts a write, the leader delivers it. What came from apps and from upstream
-- may be any bytes.
CREATE TABLE entry (
    id bigint PRIMARY KEY, -- the number of its acceptance
    place bigint NOT NULL UNIQUE, -- its turn: that, or a later number after a retry
    kind text NOT NULL,
    state text NOT NULL, -- pending, sending, conflict, failed, delivered
    discarded boolean NOT NULL DEFAULT false,
    conversation text COLLATE "C", -- null: a bulk update
    chat text COLLATE "C",
    method bytea NOT NULL,
    path bytea NOT NULL,
    headers bytea NOT NULL,
    body bytea NOT NULL,
    upstream_key bytea NOT NULL UNIQUE,
    principal bytea NOT NULL,
    client_key bytea,
    request_hash bytea NOT NULL,
    base bytea,
    created_us bigint NOT NULL,
    node text NOT NULL, -- that accepted it
    epoch bigint NOT NULL DEFAULT 0, -- in which it was begun last
    attempts bigint NOT NULL DEFAULT 0,
    crashes bigint NOT NULL DEFAULT 0, -- how often in a row a leader was lost while sending it
    in_doubt boolean NOT NULL DEFAULT false,
    forced boolean NOT NULL DEFAULT false,
    told boolean NOT NULL DEFAULT false,
    next_attempt_us bigint,
    settled_us bigint, -- by this server's clock
    last_status bigint,
    last_error bytea,
    conflict bytea,
    response bytea,
    response_type bytea,
    replaced bytea, -- what it replaced at upstream
    foreign_answer bytea,
    foreign_said bytea,
    foreign_count bigint NOT NULL DEFAULT 0,
    foreign_since_us bigint,
    unproven_us bigint,
    seq bigint NOT NULL
);
CREATE INDEX entry_seq ON entry (seq);
-- An index holds no key longer than a third of a page.
CREATE UNIQUE INDEX entry_client_key ON entry (sha256(principal), sha256(client_key));
CREATE INDEX entry_open ON entry (state) WHERE state <> 'delivered' AND NOT discarded;

-- How many are open, and the bytes of their bodies: counted by whoever changes one, so that a limit costs nothing.
ALTER TABLE head ADD COLUMN open_writes bigint NOT NULL DEFAULT 0;
ALTER TABLE head ADD COLUMN open_bytes bigint NOT NULL DEFAULT 0;
