-- The indexes of lists hold what orders need and what filters ask most rows for; an id of an app or a user, which is
-- long and the same in many rows, is looked up in the row (docs/decisions/0028). Each grows at an end where a backfill
-- comes newest first, so that its pages are full.

DROP INDEX conversation_by_last_chat;
DROP INDEX conversation_by_creation;
DROP INDEX conversation_by_user;
DROP INDEX conversation_by_app;
DROP INDEX conversation_by_first_chat;
DROP INDEX conversation_active;
CREATE INDEX conversation_by_last_chat ON conversation
    (last_chat_at DESC, id DESC, created_at, first_chat_at, is_end, user_id, title, user_name);
CREATE INDEX conversation_by_creation ON conversation (created_at DESC, id DESC, last_chat_at, first_chat_at, is_end);
CREATE INDEX conversation_by_user ON conversation
    (user_id, last_chat_at DESC, id DESC, created_at, first_chat_at, is_end);
CREATE INDEX conversation_by_app ON conversation
    (app_id, last_chat_at DESC, id DESC, created_at, first_chat_at, is_end);
CREATE INDEX conversation_by_first_chat ON conversation (first_chat_at DESC, last_chat_at, created_at);
CREATE INDEX conversation_active ON conversation (last_chat_at DESC, id DESC) WHERE is_end = 0;
