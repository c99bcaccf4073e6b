-- The categories of the project: what filters and writes name by id, and conversations may bear by name.

CREATE TABLE known_category (
    id   TEXT PRIMARY KEY,
    name TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX known_category_by_name ON known_category (name);

CREATE TABLE category_list ( -- upstream's own answer; no row: it was never read
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    raw         TEXT NOT NULL,
    verified_at INTEGER NOT NULL -- our clock
);
