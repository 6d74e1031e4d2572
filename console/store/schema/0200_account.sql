-- Organisations, people, and the ways in which they prove themselves.

CREATE TABLE organisation (
	id         UUID   NOT NULL PRIMARY KEY,
	name       TEXT   NOT NULL,
	created_at BIGINT NOT NULL,
	version    BIGINT NOT NULL
);

CREATE TABLE person (
	id              UUID    NOT NULL PRIMARY KEY,
	organisation_id UUID    NOT NULL,
	name            TEXT    NOT NULL,
	name_fold       CTEXT   NOT NULL,
	name_sort       BLOB    NOT NULL,
	display         TEXT    NOT NULL,
	role            CTEXT   NOT NULL,
	language        CTEXT   NOT NULL,
	theme           CTEXT   NOT NULL,
	disabled        BOOLEAN NOT NULL,
	password        BLOB    NOT NULL, -- argon2id with its salt and costs; empty for none
	created_at      BIGINT  NOT NULL,
	version         BIGINT  NOT NULL
);
CREATE UNIQUE INDEX person_name ON person (name_fold);

-- Secrets that stand for somebody, by their SHA-256. kind is sign_in (a cookie),
-- token (an API token), link (one use, for a person) or help (one use, for
-- whoever sits at a machine) and help_in (the cookie that follows it).
CREATE TABLE credential (
	id              UUID   NOT NULL PRIMARY KEY,
	organisation_id UUID   NOT NULL,
	kind            CTEXT  NOT NULL,
	hash            BLOB   NOT NULL,
	person_id       UUID   NOT NULL,
	machine_id      UUID   NOT NULL,
	machine_name    TEXT   NOT NULL,
	person_name     TEXT   NOT NULL,
	created_at      BIGINT NOT NULL,
	expires_at      BIGINT NOT NULL,
	used_at         BIGINT NOT NULL,
	version         BIGINT NOT NULL
);
CREATE UNIQUE INDEX credential_hash ON credential (hash);
CREATE INDEX credential_of ON credential (person_id, kind);
CREATE INDEX credential_age ON credential (expires_at);
