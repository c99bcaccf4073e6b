-- The mirror: whatever upstream can send again. Times are microseconds since 1970 (UTC); raw is JSON as it was sent.

CREATE TABLE fact ( -- whose mirror this is, and what was made with it
    name  TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;

CREATE TABLE conversation (
    pk            INTEGER PRIMARY KEY,
    id            TEXT NOT NULL UNIQUE,
    raw           TEXT NOT NULL,    -- a list item with its chats taken out
    chats_at      INTEGER,          -- where in raw (bytes) its chats belong; null: upstream sent no array
    title         TEXT,
    user_id       TEXT,
    user_name     TEXT NOT NULL,
    app_id        TEXT,
    memo          TEXT NOT NULL,
    created_at    INTEGER,
    first_chat_at INTEGER,
    last_chat_at  INTEGER,
    is_end        INTEGER NOT NULL,
    chat_count    INTEGER,          -- as upstream counts
    held          INTEGER NOT NULL DEFAULT 0 -- chats that we hold: ordinals 0 to held - 1
);
CREATE INDEX conversation_by_last_chat ON conversation (last_chat_at, id);
CREATE INDEX conversation_by_creation ON conversation (created_at, id);
CREATE INDEX conversation_by_first_chat ON conversation (first_chat_at);
CREATE INDEX conversation_by_user ON conversation (user_id, last_chat_at, id);
CREATE INDEX conversation_by_app ON conversation (app_id, last_chat_at, id);

CREATE TABLE category (
    name         TEXT NOT NULL,
    conversation INTEGER NOT NULL REFERENCES conversation (pk) ON DELETE CASCADE,
    PRIMARY KEY (name, conversation)
) WITHOUT ROWID;
CREATE INDEX category_by_conversation ON category (conversation);

CREATE TABLE chat (
    pk           INTEGER PRIMARY KEY, -- second it was sent, or the next free number: index rows follow time
    conversation INTEGER NOT NULL REFERENCES conversation (pk) ON DELETE CASCADE,
    ordinal      INTEGER NOT NULL,    -- 0 is the oldest
    id           TEXT NOT NULL,
    raw          TEXT NOT NULL,
    sender       TEXT NOT NULL,
    sent_at      INTEGER,
    completed    INTEGER NOT NULL
);
CREATE UNIQUE INDEX chat_by_place ON chat (conversation, ordinal);

-- Words. Contentless: the texts are in raw already, and what was indexed is worked out of it again before a removal.
CREATE VIRTUAL TABLE chat_words USING fts5 (text, citations, content = '', tokenize = 'unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE conversation_words USING fts5 (title, user, memo, content = '', tokenize = 'unicode61 remove_diacritics 2');

CREATE TABLE coverage ( -- every conversation with from_at <= last chat time < through_at is here, whole
    from_at     INTEGER PRIMARY KEY,
    through_at  INTEGER NOT NULL,
    verified_at INTEGER NOT NULL
);

CREATE TABLE progress ( -- how far each pass came
    name  TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;

CREATE TABLE problem ( -- what went wrong and was not mended since
    key   TEXT PRIMARY KEY,
    what  TEXT NOT NULL,
    hint  TEXT NOT NULL,
    since INTEGER NOT NULL
) WITHOUT ROWID;
