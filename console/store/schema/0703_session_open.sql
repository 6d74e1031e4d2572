-- The same of sessions that are to be opened or closed.
CREATE INDEX session_open ON session (machine_id) WHERE state = 'opening' OR closing;
