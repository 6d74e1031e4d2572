-- The account of whoever asked for help, as their machine counts it, such as a
-- user id; empty where an older agent did not tell.
ALTER TABLE credential ADD COLUMN account CTEXT NOT NULL DEFAULT '';
