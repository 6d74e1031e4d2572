-- Tickets and what happens to them.

CREATE TABLE ticket_number (
	organisation_id UUID   NOT NULL PRIMARY KEY,
	last            BIGINT NOT NULL
);

CREATE TABLE ticket (
	id              UUID    NOT NULL PRIMARY KEY,
	organisation_id UUID    NOT NULL,
	number          BIGINT  NOT NULL,
	kind            CTEXT   NOT NULL,
	state           CTEXT   NOT NULL,
	hold            CTEXT   NOT NULL,
	title           TEXT    NOT NULL,
	says            TEXT    NOT NULL,
	plain_en        TEXT    NOT NULL,
	plain_pl        TEXT    NOT NULL,
	priority        BIGINT  NOT NULL,
	impact          BIGINT  NOT NULL,
	urgency         BIGINT  NOT NULL,
	source          CTEXT   NOT NULL,
	can_work        CTEXT   NOT NULL,
	requester_kind  CTEXT   NOT NULL,
	requester_id    UUID    NOT NULL,
	requester_name  TEXT    NOT NULL,
	assignee_id     UUID    NOT NULL,
	assignee_name   TEXT    NOT NULL,
	family          CTEXT   NOT NULL, -- of the check that opened it
	machine_id      UUID    NOT NULL, -- the first one
	join_until      BIGINT  NOT NULL,
	dedupe          CTEXT   NOT NULL, -- what there may be one open ticket of; empty for most
	touched         BOOLEAN NOT NULL,
	created_at      BIGINT  NOT NULL,
	updated_at      BIGINT  NOT NULL,
	resolved_at     BIGINT  NOT NULL,
	resolution      BLOB    NOT NULL, -- JSON, empty while there is none
	last_word       CTEXT   NOT NULL,
	version         BIGINT  NOT NULL
);
CREATE UNIQUE INDEX ticket_by_number ON ticket (organisation_id, number);
CREATE UNIQUE INDEX ticket_dedupe ON ticket (organisation_id, dedupe) WHERE dedupe <> '';
CREATE INDEX ticket_updated ON ticket (organisation_id, updated_at, id);
CREATE INDEX ticket_priority ON ticket (organisation_id, priority, created_at, id);
CREATE INDEX ticket_of_machine ON ticket (machine_id, family, state);

CREATE TABLE ticket_machine (
	ticket_id       UUID   NOT NULL,
	machine_id      UUID   NOT NULL,
	organisation_id UUID   NOT NULL,
	name            TEXT   NOT NULL,
	PRIMARY KEY (ticket_id, machine_id)
);
CREATE INDEX ticket_machine_of ON ticket_machine (machine_id);

CREATE TABLE ticket_item (
	id              UUID   NOT NULL PRIMARY KEY,
	organisation_id UUID   NOT NULL,
	ticket_id       UUID   NOT NULL,
	at              BIGINT NOT NULL,
	kind            CTEXT  NOT NULL,
	by_kind         CTEXT  NOT NULL,
	by_id           UUID   NOT NULL,
	by_name         TEXT   NOT NULL,
	text            TEXT   NOT NULL,
	reason          TEXT   NOT NULL,
	data            BLOB   NOT NULL
);
CREATE INDEX ticket_item_of ON ticket_item (ticket_id, at, id);
