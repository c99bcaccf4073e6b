-- What waiting writes do to reads. The rows of `conversation` and `chat` hold the effect; what upstream sent is kept here
-- for as long as it lasts.

CREATE TABLE edit ( -- derived from the outbox
    entry        INTEGER NOT NULL,
    conversation TEXT NOT NULL,
    place        INTEGER NOT NULL, -- the order in which they apply
    chat         TEXT,             -- null: it changes the conversation itself
    patch        TEXT,             -- the members that it sets, as a JSON object; null: it deletes the conversation
    confirmed_at INTEGER,          -- by the steady clock of the process that delivered it; null: it waits
    PRIMARY KEY (entry, conversation)
) WITHOUT ROWID;
CREATE INDEX edit_by_conversation ON edit (conversation, place);

CREATE TABLE upstream_raw (
    conversation TEXT NOT NULL,
    chat         TEXT NOT NULL, -- '': the conversation itself
    raw          TEXT NOT NULL,
    PRIMARY KEY (conversation, chat)
) WITHOUT ROWID;

CREATE TABLE hidden_chat ( -- the chats of a conversation whose deletion waits
    conversation TEXT NOT NULL,
    ordinal      INTEGER NOT NULL,
    id           TEXT NOT NULL,
    raw          TEXT NOT NULL,
    PRIMARY KEY (conversation, ordinal)
) WITHOUT ROWID;
