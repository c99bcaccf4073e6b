-- How far each webhook has been told the change feed, and the conversations whose next event its receiver refused. Here, for
-- a mirror that is made anew must not let a receiver believe that it has missed nothing.

CREATE TABLE webhook (
    id            TEXT PRIMARY KEY,           -- hash of its address
    address       TEXT NOT NULL,              -- for people: without a query
    kinds         TEXT NOT NULL,              -- of the changes that it is told: ",chats,deleted,"
    nonce         TEXT NOT NULL,              -- what the ids of its messages begin with
    position      INTEGER NOT NULL,           -- the feed up to here was told, or stands in webhook_hold
    reset         INTEGER NOT NULL DEFAULT 0, -- it has to be told first that it must start again
    state         TEXT NOT NULL DEFAULT 'alive' CHECK (state IN ('alive', 'dead', 'gone')),
    delivered     INTEGER NOT NULL DEFAULT 0,
    failures      INTEGER NOT NULL DEFAULT 0,
    given_up      INTEGER NOT NULL DEFAULT 0,
    tries         INTEGER NOT NULL DEFAULT 0, -- without success since failing_since
    failing_since INTEGER,
    retry_at      INTEGER,
    delivered_at  INTEGER,
    answered_at   INTEGER,                    -- of the last try
    last_status   INTEGER,                    -- null: there was no answer
    last_error    TEXT                        -- null: it succeeded
) WITHOUT ROWID;

CREATE TABLE webhook_hold (
    webhook       TEXT NOT NULL,
    conversation  TEXT NOT NULL,
    since         INTEGER NOT NULL,           -- its changes after this one are not told
    tries         INTEGER NOT NULL,
    failing_since INTEGER NOT NULL,
    retry_at      INTEGER NOT NULL,
    PRIMARY KEY (webhook, conversation)
) WITHOUT ROWID;
