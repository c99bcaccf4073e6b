-- How many rows there are: kept by whoever commits (cache/totals.hpp), so that nobody has to walk a table for it.

CREATE TABLE totals (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    conversations INTEGER NOT NULL,
    chats         INTEGER NOT NULL
);
INSERT INTO totals (one, conversations, chats)
    VALUES (1, (SELECT count(*) FROM conversation), (SELECT count(*) FROM chat_row));
