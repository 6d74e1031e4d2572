-- What the store itself needs.

-- Whatever happens later. One row for each (kind, id).
CREATE TABLE due (
	kind    CTEXT  NOT NULL,
	id      UUID   NOT NULL,
	at      BIGINT NOT NULL,
	tries   BIGINT NOT NULL,
	problem TEXT   NOT NULL, -- why the last try failed
	PRIMARY KEY (kind, id)
);
CREATE INDEX due_at ON due (at);

-- Bytes: recordings, attachments, bundles. A row begins where the one before
-- ended: part is its offset in bytes.
CREATE TABLE blob_part (
	organisation_id UUID   NOT NULL,
	id              UUID   NOT NULL,
	part            BIGINT NOT NULL,
	bytes           BLOB   NOT NULL,
	PRIMARY KEY (id, part)
);

-- Settings: one JSON document for each organisation and key.
CREATE TABLE setting (
	organisation_id UUID   NOT NULL,
	key             CTEXT  NOT NULL,
	value           BLOB   NOT NULL,
	version         BIGINT NOT NULL,
	PRIMARY KEY (organisation_id, key)
);

-- Who did what. number is 0 until the sealer has chained the row; personal is
-- kept out of the hash (its digest is in), so that it can be erased.
CREATE TABLE audit (
	id              UUID   NOT NULL PRIMARY KEY,
	organisation_id UUID   NOT NULL,
	at              BIGINT NOT NULL,
	actor_kind      CTEXT  NOT NULL,
	actor_id        UUID   NOT NULL,
	action          CTEXT  NOT NULL,
	result          CTEXT  NOT NULL,
	detail          BLOB   NOT NULL, -- JSON object
	personal        BLOB   NOT NULL, -- JSON object with salt; empty when erased
	digest          BLOB   NOT NULL, -- SHA-256 of personal
	number          BIGINT NOT NULL,
	hash            BLOB   NOT NULL
);
CREATE INDEX audit_newest ON audit (organisation_id, at, id);
CREATE INDEX audit_number ON audit (organisation_id, number);
CREATE INDEX audit_unsealed ON audit (id) WHERE number = 0;

-- What an audit row is about.
CREATE TABLE audit_subject (
	audit_id        UUID   NOT NULL REFERENCES audit (id),
	organisation_id UUID   NOT NULL,
	kind            CTEXT  NOT NULL,
	id              UUID   NOT NULL,
	PRIMARY KEY (audit_id, kind, id)
);
CREATE INDEX audit_subject_of ON audit_subject (kind, id, audit_id);

-- The end of each organisation's chain; the sealer holds this row while it works.
CREATE TABLE audit_chain (
	organisation_id UUID   NOT NULL PRIMARY KEY,
	number          BIGINT NOT NULL,
	hash            BLOB   NOT NULL,
	signed          BIGINT NOT NULL, -- number of the last signed head
	signed_at       BIGINT NOT NULL
);

-- Signed ends of the chain.
CREATE TABLE head (
	organisation_id UUID   NOT NULL,
	number          BIGINT NOT NULL,
	hash            BLOB   NOT NULL,
	at              BIGINT NOT NULL,
	key             BLOB   NOT NULL, -- Ed25519 public key
	signature       BLOB   NOT NULL,
	PRIMARY KEY (organisation_id, number)
);

-- The consoles that run on this database.
CREATE TABLE node (
	id      UUID   NOT NULL PRIMARY KEY, -- a new one each time it starts
	address TEXT   NOT NULL, -- host:port other nodes reach it at; empty when it is alone
	started BIGINT NOT NULL,
	lease   BIGINT NOT NULL  -- alive until
);
