-- Each epoch of a machine's outbox has marks of its own: a batch of the old one
-- may be on its way while the new one begins. digest is that of the entry that
-- stands at the mark, empty where it is not known.
ALTER TABLE mark RENAME TO mark_before;
CREATE TABLE mark (
	machine_id UUID   NOT NULL,
	epoch      UUID   NOT NULL,
	class      BIGINT NOT NULL,
	number     BIGINT NOT NULL,
	digest     BLOB   NOT NULL,
	at         BIGINT NOT NULL,
	PRIMARY KEY (machine_id, epoch, class)
);
INSERT INTO mark (machine_id, epoch, class, number, digest, at)
	SELECT machine_id, epoch, class, number, CAST('' AS BLOB), 0 FROM mark_before;
DROP TABLE mark_before;
CREATE INDEX refused_message_of ON refused_message (machine_id, at);
CREATE INDEX refused_message_age ON refused_message (at);
