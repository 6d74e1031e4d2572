-- The words of a thing once more, each between two blanks: where a search finds
-- much, rows are walked in the order of a list and their words are looked at. What
-- is there is read back from the index.
ALTER TABLE search ADD COLUMN words TEXT NOT NULL DEFAULT '';
CREATE VIRTUAL TABLE search_terms USING fts5vocab(search_words, instance);
UPDATE search SET words = found.words
	FROM (SELECT doc, ' ' || group_concat(term, ' ') || ' ' AS words FROM search_terms GROUP BY doc) found
	WHERE found.doc = search.rowid;
DROP TABLE search_terms;
