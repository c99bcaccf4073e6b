-- Lease, fence and sequence in one row, which every numbering transaction locks until its commit is durable.
CREATE TABLE head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    store_id uuid NOT NULL DEFAULT gen_random_uuid(),
    system_id text NOT NULL,
    version int NOT NULL,
    read_from int NOT NULL, -- a program of an older version may not follow
    write_from int NOT NULL, -- nor lead
    last bigint NOT NULL,
    holder text NOT NULL DEFAULT '',
    leader text NOT NULL DEFAULT '',
    epoch bigint NOT NULL DEFAULT 0,
    beat bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

-- The numbers that transactions ended with, and a nonce each: by it a node knows whether this is what it read from.
CREATE TABLE trail (
    seq bigint PRIMARY KEY,
    nonce text NOT NULL
);

CREATE TABLE conversation (
    id text COLLATE "C" PRIMARY KEY,
    item text,
    bytes bytea, -- where text cannot hold the item
    is_json boolean NOT NULL,
    chats_at bigint,
    held bigint NOT NULL,
    last_chat_us bigint,
    created_us bigint,
    last_chat_at timestamptz,
    created_at timestamptz,
    title text,
    user_id text,
    app_id text,
    user_name text NOT NULL,
    state text NOT NULL,
    categories text NOT NULL,
    deleted boolean NOT NULL,
    deleted_us bigint,
    is_end boolean NOT NULL,
    seq bigint NOT NULL
);
CREATE INDEX conversation_seq ON conversation (seq);
CREATE INDEX conversation_created_at ON conversation (created_at);

CREATE TABLE chat (
    conversation text COLLATE "C",
    ordinal bigint,
    id text NOT NULL,
    chat text,
    bytes bytea, -- where text cannot hold the chat
    is_json boolean NOT NULL,
    sender text NOT NULL,
    sent_us bigint,
    sent_at timestamptz,
    message text NOT NULL,
    rating text NOT NULL,
    agent_rating text NOT NULL,
    feedback text NOT NULL,
    suggested_answer text NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (conversation, ordinal)
);
CREATE INDEX chat_seq ON chat (seq);
CREATE INDEX chat_sent_at ON chat (sent_at);
CREATE INDEX chat_feedback ON chat (sent_at)
    WHERE rating <> '' OR agent_rating <> '' OR feedback <> '' OR suggested_answer <> '';

CREATE TABLE state (
    name text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL,
    seq bigint NOT NULL
);

CREATE TABLE suppressed (
    key_id text COLLATE "C",
    hash bytea,
    seq bigint NOT NULL,
    PRIMARY KEY (key_id, hash)
);
CREATE INDEX suppressed_seq ON suppressed (seq);

CREATE TABLE node (
    name text COLLATE "C" PRIMARY KEY,
    version text NOT NULL,
    address text NOT NULL,
    role text NOT NULL,
    doing text NOT NULL,
    position bigint NOT NULL,
    seen_at timestamptz NOT NULL
) WITH (fillfactor = 10);

-- For analysts: the names of the exported file's views. JSON only where every operator can read it.
CREATE VIEW {read}.conversation AS
    SELECT id AS conversation_id, title, user_id, user_name, app_id, categories AS category, state, created_at,
        last_chat_at, held AS chats, CASE WHEN is_json THEN item::json END AS raw
    FROM conversation WHERE NOT deleted;

CREATE VIEW {read}.chat AS
    SELECT conversation AS conversation_id, id AS chat_id, ordinal, sender, sent_at AS time, message, rating, agent_rating,
        feedback AS feedback_selection, suggested_answer, CASE WHEN is_json THEN chat::json END AS raw
    FROM chat;

CREATE VIEW {read}.feedback AS
    SELECT conversation AS conversation_id, id AS chat_id, ordinal, sender, sent_at AS time, message, rating, agent_rating,
        feedback AS feedback_selection, suggested_answer
    FROM chat WHERE rating <> '' OR agent_rating <> '' OR feedback <> '' OR suggested_answer <> '';

CREATE VIEW {read}.daily AS
    SELECT day, app_id, sum(conversations)::bigint AS conversations, sum(messages)::bigint AS messages,
        sum(good)::bigint AS good, sum(bad)::bigint AS bad
    FROM (
        SELECT (created_at AT TIME ZONE 'UTC')::date AS day, app_id, 1 AS conversations, 0 AS messages, 0 AS good, 0 AS bad
        FROM conversation WHERE NOT deleted
        UNION ALL
        SELECT (c.sent_at AT TIME ZONE 'UTC')::date, v.app_id, 0, 1, (c.rating = 'good')::int, (c.rating = 'bad')::int
        FROM chat c JOIN conversation v ON v.id = c.conversation
    ) part
    GROUP BY day, app_id;
