-- The words of a thing, made by the store.
CREATE TABLE search (
	kind            CTEXT    NOT NULL,
	id              UUID     NOT NULL,
	organisation_id UUID     NOT NULL,
	at              BIGINT   NOT NULL,
	words           TSVECTOR NOT NULL,
	PRIMARY KEY (kind, id)
);
CREATE INDEX search_newest ON search (organisation_id, at, id);
CREATE INDEX search_words ON search USING gin (words);
