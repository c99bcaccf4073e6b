-- Lists find their pages in indexes alone: whatever a filter or an order looks at stands in them, so that a row, which
-- holds the JSON, is read only once it is known to be on the page.

DROP INDEX conversation_by_last_chat;
DROP INDEX conversation_by_creation;
DROP INDEX conversation_by_first_chat;
DROP INDEX conversation_by_user;
DROP INDEX conversation_by_app;
CREATE INDEX conversation_by_last_chat
    ON conversation (last_chat_at, id, created_at, first_chat_at, is_end, user_id, app_id, title, user_name);
CREATE INDEX conversation_by_creation
    ON conversation (created_at, id, last_chat_at, first_chat_at, is_end, user_id, app_id);
CREATE INDEX conversation_by_user
    ON conversation (user_id, last_chat_at, id, created_at, first_chat_at, is_end, app_id);
CREATE INDEX conversation_by_app
    ON conversation (app_id, last_chat_at, id, created_at, first_chat_at, is_end, user_id);
CREATE INDEX conversation_by_first_chat ON conversation (first_chat_at, last_chat_at, id, created_at);
CREATE INDEX conversation_active ON conversation (last_chat_at, id) WHERE is_end = 0;

CREATE TABLE filed ( -- a conversation under each of its categories, with what orders need
    name         TEXT NOT NULL,
    conversation INTEGER NOT NULL REFERENCES conversation (pk) ON DELETE CASCADE,
    last_chat_at INTEGER,
    id           TEXT NOT NULL,
    created_at   INTEGER,
    PRIMARY KEY (name, conversation)
) WITHOUT ROWID;
INSERT INTO filed (name, conversation, last_chat_at, id, created_at)
    SELECT g.name, g.conversation, c.last_chat_at, c.id, c.created_at
    FROM category g JOIN conversation c ON c.pk = g.conversation;
DROP TABLE category;
ALTER TABLE filed RENAME TO category;
CREATE INDEX category_by_conversation ON category (conversation);
CREATE INDEX category_by_last_chat ON category (name, last_chat_at, id, created_at);

CREATE TABLE chat_detail ( -- what a chat tells when it is asked for alone
    chat INTEGER PRIMARY KEY REFERENCES chat (pk) ON DELETE CASCADE,
    of   INTEGER NOT NULL, -- hash of the chat's JSON that it belongs to: with another one it is out of date
    raw  TEXT              -- null: no more than that JSON
);
