-- The words again, by our own tokenizer (docs/decisions/0007). What was indexed before is indexed anew, newest first.

DROP TABLE chat_words;
DROP TABLE conversation_words;

CREATE VIRTUAL TABLE chat_words USING fts5 (text, citations, content = '', columnsize = 0, tokenize = 'alli');
-- Single letters of scripts without spaces, and who sent it; which chats, but not where in them.
CREATE VIRTUAL TABLE chat_letters USING fts5 (text, citations, content = '', columnsize = 0, detail = none, tokenize = 'alli letters');
CREATE VIRTUAL TABLE conversation_words USING fts5 (title, user, memo, content = '', columnsize = 0, tokenize = 'alli everything');

CREATE TABLE word_index ( -- how far each kind of row is in the tables above
    kind    TEXT PRIMARY KEY, -- chat, conversation
    version INTEGER NOT NULL, -- of the tokens in it
    bound   INTEGER           -- rows below it are not in it yet, but in the tables old_*, where there are some; null: all are in it
) WITHOUT ROWID;
INSERT INTO word_index (kind, version, bound) VALUES ('chat', 0, NULL), ('conversation', 0, NULL);

CREATE TABLE word_moved ( -- rows below the bound that changed meanwhile: no longer to be looked for in the old tables
    kind TEXT NOT NULL,
    pk   INTEGER NOT NULL,
    PRIMARY KEY (kind, pk)
) WITHOUT ROWID;

-- Chats whose key is far from the second they were sent in: where there are none, a time bounds the keys.
CREATE INDEX chat_displaced ON chat (pk) WHERE pk > sent_at / 1000000 + 3600;
