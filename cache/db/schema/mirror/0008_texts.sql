-- The texts of chats lie apart from the rows that find them: by conversation and place, where a backfill appends and a
-- page of chats is read in one go. The rows come in no order and fill their pages by half, which costs little as they are
-- small.

CREATE TABLE chat_text (
    place INTEGER PRIMARY KEY, -- conversation << 24 | ordinal
    raw   TEXT NOT NULL
);
INSERT INTO chat_text (place, raw) SELECT conversation << 24 | ordinal, raw FROM chat ORDER BY conversation, ordinal;
ALTER TABLE chat DROP COLUMN raw;
ALTER TABLE chat RENAME TO chat_row;

CREATE VIEW chat AS -- for those who want both
    SELECT r.pk, r.conversation, r.ordinal, r.id, t.raw, r.sender, r.sent_at, r.completed
    FROM chat_row r JOIN chat_text t ON t.place = (r.conversation << 24 | r.ordinal);

-- Newest first, as a backfill comes: each of these grows at its end.
DROP INDEX conversation_by_last_chat;
DROP INDEX conversation_by_creation;
DROP INDEX conversation_by_first_chat;
CREATE INDEX conversation_by_last_chat ON conversation
    (last_chat_at DESC, id DESC, created_at, first_chat_at, is_end, user_id, app_id, title, user_name);
CREATE INDEX conversation_by_creation ON conversation
    (created_at DESC, id DESC, last_chat_at, first_chat_at, is_end, user_id, app_id);
CREATE INDEX conversation_by_first_chat ON conversation (first_chat_at DESC, last_chat_at, id, created_at);
