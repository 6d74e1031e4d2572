-- A session that was ended at the console is told to its machine too, until the
-- machine says that it is over: the node that splices it may be gone.
ALTER TABLE session ADD COLUMN closing BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE session ADD COLUMN ended_by_kind CTEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN ended_by_name TEXT NOT NULL DEFAULT '';
CREATE INDEX session_of_person ON session (by_id, state);
CREATE INDEX session_of_node ON session (node, state);
