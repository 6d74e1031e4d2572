-- Groups pick machines by a rule over their facts.
CREATE TABLE fleet_group (
	id              UUID    NOT NULL PRIMARY KEY,
	organisation_id UUID    NOT NULL,
	name            TEXT    NOT NULL,
	name_fold       CTEXT   NOT NULL,
	name_sort       BLOB    NOT NULL,
	rule            TEXT    NOT NULL,
	judging         BOOLEAN NOT NULL, -- a new rule has not met every machine yet
	reached         UUID    NOT NULL, -- the last machine that it met
	created_at      BIGINT  NOT NULL,
	version         BIGINT  NOT NULL
);
CREATE UNIQUE INDEX fleet_group_name ON fleet_group (organisation_id, name_fold);

-- What the rule of a group says of a machine: in, out, or unknown where the
-- facts do not tell.
CREATE TABLE group_machine (
	group_id        UUID  NOT NULL,
	machine_id      UUID  NOT NULL,
	organisation_id UUID  NOT NULL,
	verdict         CTEXT NOT NULL,
	PRIMARY KEY (group_id, machine_id)
);
CREATE INDEX group_machine_verdict ON group_machine (group_id, verdict);
CREATE INDEX group_machine_machine ON group_machine (machine_id);
