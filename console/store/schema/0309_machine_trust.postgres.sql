-- What a machine has of what its organisation signed: the digests of its newest trust file
-- and withdrawal, one after the other, as it told them or was told.
ALTER TABLE machine ADD COLUMN trust_hash BLOB NOT NULL DEFAULT '';
DROP INDEX machine_node;
CREATE INDEX machine_node ON machine (node, online, organisation_id, revoked, checks_hash, settings_hash, trust_hash, id);
