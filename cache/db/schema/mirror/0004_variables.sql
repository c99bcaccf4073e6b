-- Variables of conversations, as far as somebody asked upstream for them. No clock moves when one changes, so each is
-- good for as long as an answer is fresh, and longer only without upstream.

CREATE TABLE variable (
    conversation INTEGER NOT NULL REFERENCES conversation (pk) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    value        TEXT,             -- JSON; null: it has none of that name
    verified_at  INTEGER NOT NULL, -- our clock, when upstream said so
    PRIMARY KEY (conversation, name)
) WITHOUT ROWID;
