-- What any node may add for the leader to see to. A run is noted before its last byte is passed on, so that no node
-- answers with what was before it; what was fetched for an app and not kept is asked for.
CREATE TABLE run (
    conversation text COLLATE "C" PRIMARY KEY,
    state text NOT NULL, -- running, ended, settled
    node text NOT NULL,
    seq bigint NOT NULL
);
CREATE INDEX run_seq ON run (seq);

CREATE TABLE refresh (
    conversation text COLLATE "C" PRIMARY KEY, -- *: a list
    node text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    seq bigint NOT NULL
);
CREATE INDEX refresh_seq ON refresh (seq);

-- Those that ended long ago are forgotten.
CREATE INDEX conversation_ended ON conversation (seq) WHERE deleted;

-- What is known beside what lists and pages show: a text of the nodes' own.
ALTER TABLE conversation ADD COLUMN variables bytea NOT NULL DEFAULT '';
ALTER TABLE chat ADD COLUMN detail bytea NOT NULL DEFAULT '';
