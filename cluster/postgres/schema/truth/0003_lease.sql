-- How long the leader's lease is, of which others wait for a whole one; 0: a program that does not say.
ALTER TABLE head ADD COLUMN lease_ms bigint NOT NULL DEFAULT 0;

-- The node that took the lease last, in which epoch, and since which epoch no other one did.
ALTER TABLE head ADD COLUMN led_by text NOT NULL DEFAULT '';
ALTER TABLE head ADD COLUMN led_epoch bigint NOT NULL DEFAULT 0;
ALTER TABLE head ADD COLUMN led_from bigint NOT NULL DEFAULT 0;

-- So that a commit is known for a while, however many there are.
ALTER TABLE trail ADD COLUMN at timestamptz NOT NULL DEFAULT now();
