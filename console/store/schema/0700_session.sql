-- Live connections to machines.

CREATE TABLE session (
	id              UUID    NOT NULL PRIMARY KEY,
	organisation_id UUID    NOT NULL,
	machine_id      UUID    NOT NULL,
	ticket_id       UUID    NOT NULL,
	kind            CTEXT   NOT NULL,
	state           CTEXT   NOT NULL,
	refusal         CTEXT   NOT NULL,
	refusal_text    TEXT    NOT NULL,
	reason          TEXT    NOT NULL,
	by_id           UUID    NOT NULL,
	by_name         TEXT    NOT NULL,
	node            UUID    NOT NULL, -- that splices it
	columns_n       BIGINT  NOT NULL,
	rows_n          BIGINT  NOT NULL,
	created_at      BIGINT  NOT NULL,
	opened_at       BIGINT  NOT NULL,
	ended_at        BIGINT  NOT NULL,
	ended_text      TEXT    NOT NULL,
	recording       BIGINT  NOT NULL, -- bytes
	told            BOOLEAN NOT NULL, -- the machine was asked to open it
	version         BIGINT  NOT NULL
);
CREATE INDEX session_of_machine ON session (machine_id, state);
CREATE INDEX session_of_ticket ON session (ticket_id, created_at);
CREATE INDEX session_newest ON session (organisation_id, created_at, id);
