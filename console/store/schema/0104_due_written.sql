-- When a row was written. One that was written later than now is from a clock
-- that has been set back since, and waits from now on for as long as it was to.
ALTER TABLE due ADD COLUMN written BIGINT NOT NULL DEFAULT 0;
-- Of node, lease is not a time that anybody waits for any more: a node that is
-- alive changes it every few seconds.
