-- What organisations have signed, as it came: the chain of trust files, and the newest
-- withdrawal. A console carries it; machines look for themselves whether it holds.

CREATE TABLE trust_file (
	organisation_id UUID   NOT NULL,
	version         BIGINT NOT NULL,
	digest          BLOB   NOT NULL,
	bytes           BLOB   NOT NULL,
	at              BIGINT NOT NULL,
	PRIMARY KEY (organisation_id, version)
);

CREATE TABLE withdrawal (
	organisation_id UUID   NOT NULL PRIMARY KEY,
	digest          BLOB   NOT NULL,
	bytes           BLOB   NOT NULL,
	at              BIGINT NOT NULL
);
