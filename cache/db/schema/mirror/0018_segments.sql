-- The texts of chats are packed, twenty to a row (docs/decisions/0028): what older versions wrote is read as it is and
-- packed little by little. The rows that find chats lie in the order of the texts, where a backfill appends; an id is
-- packed with its text.

DROP VIEW chat;
ALTER TABLE chat_row RENAME TO old_chat_row;

CREATE TABLE chat_row (
    place     INTEGER PRIMARY KEY, -- conversation << 24 | ordinal; 0 is the oldest
    pk        INTEGER NOT NULL,    -- second it was sent, or the next free number: index rows follow time
    sender    TEXT NOT NULL,
    sent_at   INTEGER,
    completed INTEGER NOT NULL
);
INSERT INTO chat_row (place, pk, sender, sent_at, completed)
    SELECT conversation << 24 | ordinal, pk, sender, sent_at, completed FROM old_chat_row ORDER BY conversation, ordinal;
CREATE UNIQUE INDEX chat_by_pk ON chat_row (pk DESC);

CREATE TABLE chat_segment (
    place INTEGER PRIMARY KEY, -- that of its first chat; the ordinal is a multiple of 20
    body  BLOB NOT NULL        -- cache/chats/segment.hpp
);
CREATE TABLE chat_text_id ( -- of the chats in chat_text: those not packed yet, and those too large for it
    place INTEGER PRIMARY KEY,
    id    TEXT NOT NULL
);
INSERT INTO chat_text_id (place, id)
    SELECT conversation << 24 | ordinal, id FROM old_chat_row ORDER BY conversation, ordinal;
INSERT INTO fact (name, value) SELECT 'packing_from', place FROM chat_text ORDER BY place LIMIT 1;

CREATE TABLE new_detail (
    chat INTEGER PRIMARY KEY REFERENCES chat_row (pk) ON DELETE CASCADE,
    of   INTEGER NOT NULL, -- hash of the chat's JSON that it belongs to: with another one it is out of date
    raw  TEXT              -- null: no more than that JSON
);
INSERT INTO new_detail (chat, of, raw)
    SELECT chat, of, raw FROM chat_detail WHERE EXISTS (SELECT 1 FROM chat_row WHERE pk = chat);
DROP TABLE chat_detail;
ALTER TABLE new_detail RENAME TO chat_detail;
DROP TABLE old_chat_row;

-- Last messages that upstream may still be writing (0: it says so, 2: it does not say).
CREATE INDEX chat_growing ON chat_row (place) WHERE completed = 0;
-- Chats whose key is far from the second they were sent in: where there are none, a time bounds the keys.
CREATE INDEX chat_displaced ON chat_row (pk) WHERE pk > sent_at / 1000000 + 3600;
