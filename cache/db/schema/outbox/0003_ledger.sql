-- What was purged and must not come back. Here, for a mirror that is made anew must not bring it back either.

CREATE TABLE purged (
    hash BLOB PRIMARY KEY -- keyed, of a conversation's or a user's id
) WITHOUT ROWID;
