-- Machines, how they come in, what they are, and what is asked of them.

CREATE TABLE machine (
	id              UUID    NOT NULL PRIMARY KEY,
	organisation_id UUID    NOT NULL,
	name            TEXT    NOT NULL,
	name_fold       CTEXT   NOT NULL,
	name_sort       BLOB    NOT NULL,
	key             BLOB    NOT NULL, -- Ed25519 public key
	epoch           UUID    NOT NULL,
	online          BOOLEAN NOT NULL,
	node            UUID    NOT NULL, -- that holds the line, or held it last
	since           BIGINT  NOT NULL, -- online or offline since
	reason          CTEXT   NOT NULL, -- why it is offline
	last_seen       BIGINT  NOT NULL,
	enrolled_at     BIGINT  NOT NULL,
	revoked         BOOLEAN NOT NULL,
	about           BLOB    NOT NULL, -- JSON: os, agent, capabilities, policy, people
	checks_hash     BLOB    NOT NULL, -- of the check set in force at the machine
	settings_hash   BLOB    NOT NULL,
	health          CTEXT   NOT NULL,
	health_rank     BIGINT  NOT NULL, -- critical 3, warning 2, unknown 1, ok 0
	open_alerts     BIGINT  NOT NULL,
	version         BIGINT  NOT NULL
);
CREATE INDEX machine_worst ON machine (organisation_id, health_rank, name_sort, id);
CREATE INDEX machine_name ON machine (organisation_id, name_sort, id);
CREATE INDEX machine_node ON machine (node, online);

-- Enrolment tokens; the secret is kept as a hash.
CREATE TABLE enrolment (
	id              UUID   NOT NULL PRIMARY KEY,
	organisation_id UUID   NOT NULL,
	secret_hash     BLOB   NOT NULL,
	uses            BIGINT NOT NULL,
	used            BIGINT NOT NULL,
	expires_at      BIGINT NOT NULL,
	created_at      BIGINT NOT NULL,
	created_by      UUID   NOT NULL,
	version         BIGINT NOT NULL
);
CREATE UNIQUE INDEX enrolment_secret ON enrolment (secret_hash);

-- The newest state of each section of a machine's facts, as it came.
CREATE TABLE fact_section (
	machine_id      UUID   NOT NULL,
	organisation_id UUID   NOT NULL,
	name            CTEXT  NOT NULL,
	hash            BLOB   NOT NULL,
	read_at         BIGINT NOT NULL,
	body            BLOB   NOT NULL,
	PRIMARY KEY (machine_id, name)
);

CREATE TABLE fact_change (
	id              UUID   NOT NULL PRIMARY KEY,
	organisation_id UUID   NOT NULL,
	machine_id      UUID   NOT NULL,
	at              BIGINT NOT NULL,
	section         CTEXT  NOT NULL,
	item            TEXT   NOT NULL,
	old             TEXT   NOT NULL,
	new             TEXT   NOT NULL
);
CREATE INDEX fact_change_newest ON fact_change (machine_id, at);

-- What machines wrote into their own books.
CREATE TABLE machine_journal (
	id              UUID   NOT NULL PRIMARY KEY,
	organisation_id UUID   NOT NULL,
	machine_id      UUID   NOT NULL,
	number          BIGINT NOT NULL,
	at              BIGINT NOT NULL,
	kind            CTEXT  NOT NULL,
	act             CTEXT  NOT NULL,
	subject         UUID   NOT NULL,
	code            CTEXT  NOT NULL,
	text            TEXT   NOT NULL,
	count           BIGINT NOT NULL,
	hash            BLOB   NOT NULL
);
CREATE INDEX machine_journal_newest ON machine_journal (machine_id, number);

CREATE TABLE question (
	id              UUID   NOT NULL PRIMARY KEY,
	organisation_id UUID   NOT NULL,
	expression      TEXT   NOT NULL,
	by_kind         CTEXT  NOT NULL,
	by_id           UUID   NOT NULL,
	by_name         TEXT   NOT NULL,
	created_at      BIGINT NOT NULL,
	ends_at         BIGINT NOT NULL,
	asked           BIGINT NOT NULL,
	offline         BLOB   NOT NULL, -- JSON list of machine ids
	version         BIGINT NOT NULL
);

-- One row for each machine that is asked; state is pending, answered or failed.
CREATE TABLE question_machine (
	question_id     UUID    NOT NULL,
	organisation_id UUID    NOT NULL,
	machine_id      UUID    NOT NULL,
	state           CTEXT   NOT NULL,
	rows            BLOB    NOT NULL,
	error           TEXT    NOT NULL,
	truncated       BOOLEAN NOT NULL,
	age             BIGINT  NOT NULL, -- microseconds
	at              BIGINT  NOT NULL,
	PRIMARY KEY (question_id, machine_id)
);
CREATE INDEX question_machine_pending ON question_machine (machine_id, state);
