-- What package link needs: how far each machine's logs are committed.

CREATE TABLE mark (
	machine_id UUID   NOT NULL,
	class      BIGINT NOT NULL,
	epoch      UUID   NOT NULL, -- numbers of another epoch mean nothing here
	number     BIGINT NOT NULL,
	PRIMARY KEY (machine_id, class)
);

-- Durable messages that no handler could take for their content. They were
-- acknowledged, so that they are not sent for ever.
CREATE TABLE refused_message (
	id              UUID   NOT NULL PRIMARY KEY,
	organisation_id UUID   NOT NULL,
	machine_id      UUID   NOT NULL,
	class           BIGINT NOT NULL,
	number          BIGINT NOT NULL,
	at              BIGINT NOT NULL,
	problem         TEXT   NOT NULL,
	body            BLOB   NOT NULL
);
CREATE INDEX refused_message_newest ON refused_message (organisation_id, at);
