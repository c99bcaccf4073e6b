-- What was purged and must not come back: see docs/decisions/0016.

CREATE TABLE purged ( -- a copy of the outbox's, and what was kept out since
    hash BLOB PRIMARY KEY -- keyed, of a conversation's or a user's id
) WITHOUT ROWID;

CREATE TABLE purged_day ( -- on which conversations were created that upstream counts and the mirror does not
    day INTEGER PRIMARY KEY -- since 1970
);
