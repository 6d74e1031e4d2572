-- When a row was written, by the clock of then. That clock may be set.
ALTER TABLE due ADD COLUMN written BIGINT NOT NULL DEFAULT 0;
-- Of node, nobody waits for the time in lease any more: a node that is alive
-- changes it every few seconds.
