-- What the leader of a cluster has not published yet: written in the commit of the rows that it names
-- (cache/replica/notes.hpp), and only by a node of a cluster.

CREATE TABLE unpublished (
    kind         INTEGER NOT NULL, -- 0: what the mirror says of itself, by its name; 1: a conversation
    key          NOT NULL,         -- of a conversation its row's number, or its id where it has no row
    from_ordinal INTEGER,          -- its chats from this one on; null: none
    times        INTEGER NOT NULL, -- how often it was noted: what is noted again meanwhile stays
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
