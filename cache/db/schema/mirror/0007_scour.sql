-- Terms of removed rows stay in the index's pages until they are merged away.

ALTER TABLE word_index ADD COLUMN removed INTEGER NOT NULL DEFAULT 1; -- 1: rows were since the last cleaning began; 2: one is under way; or both
