-- The words of a thing, made by the store. rowid ties the two tables together.
CREATE TABLE search (
	rowid           INTEGER PRIMARY KEY,
	kind            TEXT    NOT NULL,
	id              BLOB    NOT NULL,
	organisation_id BLOB    NOT NULL,
	at              INTEGER NOT NULL,
	UNIQUE (kind, id)
) STRICT;
CREATE INDEX search_newest ON search (organisation_id, at, id);

CREATE VIRTUAL TABLE search_words USING fts5 (
	words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii', prefix = '2 3'
);
