-- For how long upstream's reads may still show the state before a delivered write (upstream.read_lag), and what they
-- show then. confirmed_at and lags_until are by the steady clock of the process that runs: each start works them out
-- again from confirmed_utc.

ALTER TABLE edit ADD COLUMN lags_until INTEGER;
ALTER TABLE edit ADD COLUMN confirmed_utc INTEGER; -- by the wall clock, microseconds
ALTER TABLE edit ADD COLUMN before TEXT;           -- the values that it replaced: {"title":["a"]}; without a member: not known
ALTER TABLE edit ADD COLUMN covered INTEGER NOT NULL DEFAULT 0; -- 1: a read showed the state before; 2: it is being read again
UPDATE edit SET lags_until = confirmed_at WHERE confirmed_at IS NOT NULL;
CREATE INDEX edit_covered ON edit (covered) WHERE covered = 1;
