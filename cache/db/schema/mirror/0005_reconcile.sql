-- What a comparison with upstream needs to remember: what could not be read and when to try it again, what is gone,
-- what differed, and which conversations changed in which order.

ALTER TABLE problem ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE problem ADD COLUMN retry_at INTEGER;   -- null: nothing to try, it clears itself
ALTER TABLE problem ADD COLUMN conversation TEXT;  -- the one that could not be read
ALTER TABLE problem ADD COLUMN from_at INTEGER;    -- the last chat times that are not complete because of it
ALTER TABLE problem ADD COLUMN through_at INTEGER;

CREATE TABLE tombstone ( -- upstream said 404
    id         TEXT PRIMARY KEY,
    deleted_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE suspect ( -- 404 too, but so many at once that a person must say so first
    id         TEXT PRIMARY KEY,
    noticed_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE drift ( -- what comparisons found: audited, differed, deleted, and a row for each field that differed
    name  TEXT PRIMARY KEY,
    count INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE change ( -- the feed: the latest change of each kind; a number is never used twice
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('conversation', 'chats', 'deleted', 'outbox')),
    UNIQUE (conversation, kind)
);

-- Last messages that upstream may still be writing (0: it says so, 2: it does not say).
CREATE INDEX chat_growing ON chat (conversation) WHERE completed = 0;
