-- Alerts, vitals history, and what an organisation changed in the checks.

CREATE TABLE alert (
	id              UUID    NOT NULL PRIMARY KEY,
	organisation_id UUID    NOT NULL,
	machine_id      UUID    NOT NULL,
	check_id        CTEXT   NOT NULL,
	instance        CTEXT   NOT NULL,
	thing           CTEXT   NOT NULL,
	open_key        CTEXT   NOT NULL, -- what there may be one open alert of; empty once it is resolved
	episode         UUID    NOT NULL, -- the machine's name of it
	state           CTEXT   NOT NULL,
	severity        CTEXT   NOT NULL,
	flapping        BOOLEAN NOT NULL,
	silenced        BOOLEAN NOT NULL,
	acked_by        UUID    NOT NULL,
	acked_name      TEXT    NOT NULL,
	count           BIGINT  NOT NULL,
	started_at      BIGINT  NOT NULL,
	changed_at      BIGINT  NOT NULL,
	resolved_at     BIGINT  NOT NULL,
	said            BLOB    NOT NULL, -- JSON: values, texts, words
	evidence        BLOB    NOT NULL, -- JSON
	ticket_id       UUID    NOT NULL,
	version         BIGINT  NOT NULL
);
CREATE UNIQUE INDEX alert_open ON alert (organisation_id, open_key) WHERE open_key <> '';
CREATE INDEX alert_of_machine ON alert (machine_id, state, changed_at);
CREATE INDEX alert_of_ticket ON alert (ticket_id, state);
CREATE INDEX alert_newest ON alert (organisation_id, changed_at, id);
CREATE INDEX alert_of_check ON alert (organisation_id, check_id, state, started_at);

-- Packed rows of vitals, as they came; see package history.
CREATE TABLE history (
	machine_id      UUID   NOT NULL,
	organisation_id UUID   NOT NULL,
	resolution      BIGINT NOT NULL,
	start           BIGINT NOT NULL,
	revision        BIGINT NOT NULL,
	payload         BLOB   NOT NULL,
	PRIMARY KEY (machine_id, resolution, start)
);
CREATE INDEX history_age ON history (resolution, start);

-- What an organisation changed in a check of the catalogue.
CREATE TABLE check_override (
	organisation_id UUID   NOT NULL,
	check_id        CTEXT  NOT NULL,
	value           BLOB   NOT NULL, -- JSON
	version         BIGINT NOT NULL,
	PRIMARY KEY (organisation_id, check_id)
);
