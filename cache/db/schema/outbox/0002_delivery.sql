-- What delivery has to know of an entry, and a tally of the states that costs nothing to read.

ALTER TABLE entry ADD COLUMN kind TEXT NOT NULL DEFAULT 'update';
ALTER TABLE entry ADD COLUMN chat TEXT;
ALTER TABLE entry ADD COLUMN place INTEGER NOT NULL DEFAULT 0;   -- its turn: as accepted, or at the end after a retry
ALTER TABLE entry ADD COLUMN unclear INTEGER NOT NULL DEFAULT 0; -- was sent; whether it was applied is not known
ALTER TABLE entry ADD COLUMN forced INTEGER NOT NULL DEFAULT 0;  -- a person said: send it, whatever upstream has
ALTER TABLE entry ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0; -- how often in a row the process died while sending
ALTER TABLE entry ADD COLUMN told INTEGER NOT NULL DEFAULT 0;    -- its app got the outcome: nobody has to act on it
ALTER TABLE entry ADD COLUMN conflict TEXT;                      -- {field: {base, upstream, ours}}
ALTER TABLE entry ADD COLUMN response_type TEXT;
UPDATE entry SET place = id;

DROP INDEX entry_by_conversation;
CREATE INDEX entry_by_conversation ON entry (conversation, place);
CREATE UNIQUE INDEX entry_by_place ON entry (place);
CREATE INDEX entry_in_line ON entry (conversation, place) WHERE state IN ('pending', 'sending', 'conflict');
CREATE INDEX entry_settled ON entry (settled_at) WHERE settled_at IS NOT NULL;

CREATE TABLE tally (
    state   TEXT PRIMARY KEY,
    entries INTEGER NOT NULL,
    bytes   INTEGER NOT NULL -- of bodies and answers
) WITHOUT ROWID;
INSERT INTO tally (state, entries, bytes) VALUES
    ('pending', 0, 0), ('sending', 0, 0), ('conflict', 0, 0), ('failed', 0, 0), ('delivered', 0, 0);
UPDATE tally SET
    entries = (SELECT count(*) FROM entry WHERE entry.state = tally.state),
    bytes = (SELECT coalesce(sum(length(body) + coalesce(length(response), 0)), 0) FROM entry
             WHERE entry.state = tally.state);

CREATE TRIGGER tally_in AFTER INSERT ON entry BEGIN
    UPDATE tally SET entries = entries + 1, bytes = bytes + length(new.body) + coalesce(length(new.response), 0)
    WHERE state = new.state;
END;
CREATE TRIGGER tally_out AFTER DELETE ON entry BEGIN
    UPDATE tally SET entries = entries - 1, bytes = bytes - length(old.body) - coalesce(length(old.response), 0)
    WHERE state = old.state;
END;
CREATE TRIGGER tally_move AFTER UPDATE OF state, response, body ON entry BEGIN
    UPDATE tally SET entries = entries - 1, bytes = bytes - length(old.body) - coalesce(length(old.response), 0)
    WHERE state = old.state;
    UPDATE tally SET entries = entries + 1, bytes = bytes + length(new.body) + coalesce(length(new.response), 0)
    WHERE state = new.state;
END;
