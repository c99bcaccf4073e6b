-- Programs before this step deliver from an outbox of their own: none of them leads any more, or what other nodes accept
-- would wait for it.
UPDATE head SET write_from = 5;

-- What was settled long ago is looked for.
CREATE INDEX entry_settled ON entry (settled_us) WHERE settled_us IS NOT NULL;
