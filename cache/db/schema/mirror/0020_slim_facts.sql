-- A chat's row holds its facts, as the bits of one number, and how far its time is from the second that is its key; no
-- table of facts repeats what it has. Rows whose facts were not kept yet get them little by little, as before.

ALTER TABLE chat_row RENAME TO old_chat_row;

CREATE TABLE chat_row (
    place       INTEGER PRIMARY KEY, -- conversation << 24 | ordinal; 0 is the oldest
    pk          INTEGER NOT NULL,    -- second it was sent, or the next free number: index rows follow time
    sender_code NOT NULL,            -- 0: USER, 1: BOT, else the name
    sent_after  INTEGER,             -- microseconds from that second to its time
    completed   INTEGER NOT NULL,
    facts       INTEGER,             -- cache/chats/packed_facts.hpp; null: not known yet
    sender      TEXT GENERATED ALWAYS AS (CASE sender_code WHEN 0 THEN 'USER' WHEN 1 THEN 'BOT' ELSE sender_code END),
    sent_at     INTEGER GENERATED ALWAYS AS (pk * 1000000 + sent_after)
);
INSERT INTO chat_row (place, pk, sender_code, sent_after, completed, facts)
    SELECT r.place, r.pk, CASE r.sender WHEN 'USER' THEN 0 WHEN 'BOT' THEN 1 ELSE r.sender END,
           r.sent_at - r.pk * 1000000, r.completed,
           f.answer + CASE f.rating WHEN 0 THEN 2 WHEN 1 THEN 4 ELSE 0 END
               + CASE f.agent_rating WHEN 0 THEN 8 WHEN 1 THEN 16 ELSE 0 END
               + f.feedback * 32 + f.citations * 64 + f.steps * 128 + f.length * 256
    FROM old_chat_row r LEFT JOIN chat_fact f ON f.chat = r.pk ORDER BY r.place;
DROP TABLE chat_fact;

CREATE TABLE old_detail AS SELECT chat, of, raw FROM chat_detail;
DROP TABLE chat_detail;
DROP TABLE old_chat_row;
CREATE UNIQUE INDEX chat_by_pk ON chat_row (pk DESC);
CREATE TABLE chat_detail (
    chat INTEGER PRIMARY KEY REFERENCES chat_row (pk) ON DELETE CASCADE,
    of   INTEGER NOT NULL, -- hash of the chat's JSON that it belongs to: with another one it is out of date
    raw  TEXT              -- null: no more than that JSON
);
INSERT INTO chat_detail (chat, of, raw)
    SELECT chat, of, raw FROM old_detail WHERE EXISTS (SELECT 1 FROM chat_row WHERE pk = chat);
DROP TABLE old_detail;

-- Last messages that upstream may still be writing (0: it says so, 2: it does not say).
CREATE INDEX chat_growing ON chat_row (place) WHERE completed = 0;
-- Chats whose key is not about the second they were sent in: of all others a time bounds the keys.
CREATE INDEX chat_displaced ON chat_row (pk) WHERE sent_after >= 1000000 OR sent_after < -3600000000;
-- Few chats are rated: a search for them must not look at the others.
CREATE INDEX chat_bad ON chat_row (pk DESC) WHERE facts & 2 <> 0;
CREATE INDEX chat_good ON chat_row (pk DESC) WHERE facts & 4 <> 0;
CREATE INDEX chat_agent_rated ON chat_row (pk DESC) WHERE facts & 24 <> 0;
CREATE INDEX chat_feedback ON chat_row (pk DESC) WHERE facts & 32 <> 0;
CREATE INDEX chat_steps ON chat_row (pk DESC) WHERE facts & 128 <> 0;

-- Most conversations have nobody assigned.
DROP INDEX conversation_fact_state;
DROP INDEX conversation_fact_assignee;
DROP INDEX conversation_fact_channel;
CREATE INDEX conversation_fact_state ON conversation_fact (state) WHERE state <> '';
CREATE INDEX conversation_fact_assignee ON conversation_fact (assignee) WHERE assignee <> '';
CREATE INDEX conversation_fact_channel ON conversation_fact (channel) WHERE channel <> '';

-- It grows at an end where a backfill comes newest first, so that its pages are full.
DROP INDEX category_by_last_chat;
CREATE INDEX category_by_last_chat ON category (name, last_chat_at DESC, id DESC, created_at);

-- The feed writes its kinds as numbers, and reads them as before.
CREATE TABLE new_change ( -- the latest change of each kind; a number is never used twice
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation NOT NULL, -- integer: conversation.pk; text: the id of one that is not held
    kind_code    INTEGER NOT NULL CHECK (kind_code IN (0, 1, 2, 3)), -- ChangeKind, cache/rows/change_feed.hpp
    kind         TEXT GENERATED ALWAYS AS
                 (CASE kind_code WHEN 0 THEN 'conversation' WHEN 1 THEN 'chats' WHEN 2 THEN 'deleted' ELSE 'outbox' END)
);
INSERT INTO new_change (seq, conversation, kind_code)
    SELECT seq, conversation,
           CASE kind WHEN 'conversation' THEN 0 WHEN 'chats' THEN 1 WHEN 'deleted' THEN 2 ELSE 3 END
    FROM change ORDER BY seq;
DELETE FROM sqlite_sequence WHERE name = 'new_change';
INSERT INTO sqlite_sequence (name, seq) SELECT 'new_change', seq FROM sqlite_sequence WHERE name = 'change';
DROP TABLE change;
ALTER TABLE new_change RENAME TO change;
CREATE INDEX change_by_conversation ON change (conversation);
