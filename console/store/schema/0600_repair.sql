-- Runs of scripts and what they wrote.

CREATE TABLE run (
	id              UUID    NOT NULL PRIMARY KEY,
	organisation_id UUID    NOT NULL,
	machine_id      UUID    NOT NULL,
	ticket_id       UUID    NOT NULL,
	script          CTEXT   NOT NULL,
	script_version  BIGINT  NOT NULL,
	script_hash     BLOB    NOT NULL,
	dry_run         BOOLEAN NOT NULL,
	state           CTEXT   NOT NULL,
	by_id           UUID    NOT NULL,
	by_name         TEXT    NOT NULL,
	requested_at    BIGINT  NOT NULL,
	sent_at         BIGINT  NOT NULL,
	started_at      BIGINT  NOT NULL,
	finished_at     BIGINT  NOT NULL,
	expires_at      BIGINT  NOT NULL,
	idempotency     CTEXT   NOT NULL, -- key of the request that made it; empty for none
	request_hash    BLOB    NOT NULL, -- of that request's body
	rest            BLOB    NOT NULL, -- JSON: parameters, refusal, exit code, result, verify
	output_bytes    BIGINT  NOT NULL,
	output_cut      BOOLEAN NOT NULL,
	version         BIGINT  NOT NULL
);
CREATE UNIQUE INDEX run_idempotency ON run (organisation_id, by_id, idempotency) WHERE idempotency <> '';
CREATE INDEX run_of_machine ON run (machine_id, state);
CREATE INDEX run_of_ticket ON run (ticket_id, requested_at);
CREATE INDEX run_newest ON run (organisation_id, requested_at, id);

-- Pieces of output, by their offset in bytes.
CREATE TABLE run_output (
	run_id          UUID   NOT NULL,
	organisation_id UUID   NOT NULL,
	start           BIGINT NOT NULL,
	bytes           BLOB   NOT NULL,
	PRIMARY KEY (run_id, start)
);
