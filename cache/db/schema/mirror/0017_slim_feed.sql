-- The feed names a conversation that is held by the key of its row, another by its id: half the feed was ids, twice.

CREATE TABLE new_change ( -- the latest change of each kind; a number is never used twice
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation NOT NULL, -- integer: conversation.pk; text: the id of one that is not held
    kind         TEXT NOT NULL CHECK (kind IN ('conversation', 'chats', 'deleted', 'outbox'))
);
INSERT INTO new_change (seq, conversation, kind)
    SELECT h.seq, coalesce(c.pk, h.conversation), h.kind FROM change h LEFT JOIN conversation c ON c.id = h.conversation
    ORDER BY h.seq;
DELETE FROM sqlite_sequence WHERE name = 'new_change';
INSERT INTO sqlite_sequence (name, seq) SELECT 'new_change', seq FROM sqlite_sequence WHERE name = 'change';
DROP TABLE change;
ALTER TABLE new_change RENAME TO change;
CREATE INDEX change_by_conversation ON change (conversation);
