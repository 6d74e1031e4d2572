-- Whether a machine follows a root at all: one that does not is told what was signed all the
-- same, and takes nothing.
ALTER TABLE machine ADD COLUMN rooted BOOLEAN NOT NULL DEFAULT FALSE;
