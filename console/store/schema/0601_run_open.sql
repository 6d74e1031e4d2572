-- Which machines have runs that are not over: asked of all machines every half
-- minute, and few of a long table.
CREATE INDEX run_open ON run (machine_id) WHERE state IN ('queued', 'sent', 'running');
