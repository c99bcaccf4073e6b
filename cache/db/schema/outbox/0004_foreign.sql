-- Answers to a write that were not the service's: which, how often the same, and since when; and when a success came
-- that no read has shown yet.

ALTER TABLE entry ADD COLUMN foreign_answer TEXT;                      -- of the last one; null: none
ALTER TABLE entry ADD COLUMN foreign_count INTEGER NOT NULL DEFAULT 0; -- of this one, while the service answered others
ALTER TABLE entry ADD COLUMN foreign_since INTEGER;
ALTER TABLE entry ADD COLUMN foreign_said TEXT;                        -- it, in a sentence
ALTER TABLE entry ADD COLUMN unproven_at INTEGER;
CREATE INDEX entry_with_foreign_answer ON entry (id) WHERE foreign_answer IS NOT NULL;
