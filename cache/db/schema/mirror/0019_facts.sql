-- What searches and figures ask of chats and conversations beside their words, worked out of their JSON.

CREATE TABLE chat_fact (
    chat         INTEGER PRIMARY KEY REFERENCES chat_row (pk) ON DELETE CASCADE,
    conversation INTEGER NOT NULL,
    sent_at      INTEGER,
    answer       INTEGER NOT NULL, -- 1: by anybody but the user
    rating       INTEGER,          -- 1 good, 0 bad
    agent_rating INTEGER,
    feedback     INTEGER NOT NULL, -- 1: a reason was chosen, or a better answer suggested
    citations    INTEGER NOT NULL, -- 1: there are some
    steps        INTEGER NOT NULL,
    length       INTEGER NOT NULL  -- characters
);
-- Few chats are rated: a search for them must not look at the others.
CREATE INDEX chat_fact_rating ON chat_fact (rating, chat) WHERE rating IS NOT NULL;
CREATE INDEX chat_fact_conversation ON chat_fact (conversation, rating) WHERE rating IS NOT NULL;
CREATE INDEX chat_fact_agent_rating ON chat_fact (agent_rating, chat) WHERE agent_rating IS NOT NULL;
CREATE INDEX chat_fact_feedback ON chat_fact (feedback, chat) WHERE feedback = 1;
CREATE INDEX chat_fact_steps ON chat_fact (steps, chat) WHERE steps = 1;

-- Chats whose key is far from the second they were sent in: where there are none, a time bounds the keys.
CREATE INDEX chat_fact_moved ON chat_fact (chat) WHERE chat < sent_at / 1000000 OR chat > sent_at / 1000000 + 3600;

CREATE TABLE conversation_fact ( -- '': none
    conversation INTEGER PRIMARY KEY REFERENCES conversation (pk) ON DELETE CASCADE,
    state        TEXT NOT NULL,
    assignee     TEXT NOT NULL,
    channel      TEXT NOT NULL
);
CREATE INDEX conversation_fact_state ON conversation_fact (state, conversation);
CREATE INDEX conversation_fact_assignee ON conversation_fact (assignee, conversation);
CREATE INDEX conversation_fact_channel ON conversation_fact (channel, conversation);

CREATE TABLE fact_bound ( -- rows that were here before have their facts from this key on; no row: all have
    kind  TEXT PRIMARY KEY, -- chat, conversation
    bound INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO fact_bound SELECT 'chat', max(pk) + 1 FROM chat_row HAVING count(*) > 0;
INSERT INTO fact_bound SELECT 'conversation', max(pk) + 1 FROM conversation HAVING count(*) > 0;
