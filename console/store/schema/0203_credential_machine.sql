-- Help links are counted for each machine.
CREATE INDEX credential_machine ON credential (machine_id, created_at);
