-- An index for each order in which machines are listed, with its directions, and
-- one that is counted in. Of machines that were expelled there is no list.
DROP INDEX machine_worst;
DROP INDEX machine_name;
DROP INDEX machine_node;
CREATE INDEX machine_worst ON machine (organisation_id, health_rank DESC, name_sort, id, online) WHERE NOT revoked;
CREATE INDEX machine_name ON machine (organisation_id, name_sort, id, health_rank, online) WHERE NOT revoked;
CREATE INDEX machine_seen ON machine (organisation_id, last_seen, id, health_rank, online) WHERE NOT revoked;
CREATE INDEX machine_alerts ON machine (organisation_id, open_alerts, name_sort, id, health_rank, online) WHERE NOT revoked;
CREATE INDEX machine_counted ON machine (organisation_id, online, health_rank) WHERE NOT revoked;
-- What a node looks for among its machines every half minute, without reading them.
CREATE INDEX machine_node ON machine (node, online, organisation_id, revoked, checks_hash, settings_hash, id);
