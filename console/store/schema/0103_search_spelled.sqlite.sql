-- The words of a thing once more, each between two blanks: where a search finds
-- much, rows are walked in the order of a list and their words are looked at. What
-- is there is read back from the index, a part at a time: all of it would have to be
-- sorted in memory.
ALTER TABLE search ADD COLUMN words TEXT NOT NULL DEFAULT '';
CREATE VIRTUAL TABLE search_terms USING fts5vocab(search_words, instance);
UPDATE search SET words = found.words FROM (SELECT doc, ' ' || group_concat(term, ' ') || ' ' AS words FROM search_terms WHERE doc % 16 = 0 GROUP BY doc) found WHERE found.doc = search.rowid;
UPDATE search SET words = found.words FROM (SELECT doc, ' ' || group_concat(term, ' ') || ' ' AS words FROM search_terms WHERE doc % 16 = 1 GROUP BY doc) found WHERE found.doc = search.rowid;
UPDATE search SET words = found.words FROM (SELECT doc, ' ' || group_concat(term, ' ') || ' ' AS words FROM search_terms WHERE doc % 16 = 2 GROUP BY doc) found WHERE found.doc = search.rowid;
UPDATE search SET words = found.words FROM (SELECT doc, ' ' || group_concat(term, ' ') || ' ' AS words FROM search_terms WHERE doc % 16 = 3 GROUP BY doc) found WHERE found.doc = search.rowid;
UPDATE search SET words = found.words FROM (SELECT doc, ' ' || group_concat(term, ' ') || ' ' AS words FROM search_terms WHERE doc % 16 = 4 GROUP BY doc) found WHERE found.doc = search.rowid;
UPDATE search SET words = found.words FROM (SELECT doc, ' ' || group_concat(term, ' ') || ' ' AS words FROM search_terms WHERE doc % 16 = 5 GROUP BY doc) found WHERE found.doc = search.rowid;
UPDATE search SET words = found.words FROM (SELECT doc, ' ' || group_concat(term, ' ') || ' ' AS words FROM search_terms WHERE doc % 16 = 6 GROUP BY doc) found WHERE found.doc = search.rowid;
UPDATE search SET words = found.words FROM (SELECT doc, ' ' || group_concat(term, ' ') || ' ' AS words FROM search_terms WHERE doc % 16 = 7 GROUP BY doc) found WHERE found.doc = search.rowid;
UPDATE search SET words = found.words FROM (SELECT doc, ' ' || group_concat(term, ' ') || ' ' AS words FROM search_terms WHERE doc % 16 = 8 GROUP BY doc) found WHERE found.doc = search.rowid;
UPDATE search SET words = found.words FROM (SELECT doc, ' ' || group_concat(term, ' ') || ' ' AS words FROM search_terms WHERE doc % 16 = 9 GROUP BY doc) found WHERE found.doc = search.rowid;
UPDATE search SET words = found.words FROM (SELECT doc, ' ' || group_concat(term, ' ') || ' ' AS words FROM search_terms WHERE doc % 16 = 10 GROUP BY doc) found WHERE found.doc = search.rowid;
UPDATE search SET words = found.words FROM (SELECT doc, ' ' || group_concat(term, ' ') || ' ' AS words FROM search_terms WHERE doc % 16 = 11 GROUP BY doc) found WHERE found.doc = search.rowid;
UPDATE search SET words = found.words FROM (SELECT doc, ' ' || group_concat(term, ' ') || ' ' AS words FROM search_terms WHERE doc % 16 = 12 GROUP BY doc) found WHERE found.doc = search.rowid;
UPDATE search SET words = found.words FROM (SELECT doc, ' ' || group_concat(term, ' ') || ' ' AS words FROM search_terms WHERE doc % 16 = 13 GROUP BY doc) found WHERE found.doc = search.rowid;
UPDATE search SET words = found.words FROM (SELECT doc, ' ' || group_concat(term, ' ') || ' ' AS words FROM search_terms WHERE doc % 16 = 14 GROUP BY doc) found WHERE found.doc = search.rowid;
UPDATE search SET words = found.words FROM (SELECT doc, ' ' || group_concat(term, ' ') || ' ' AS words FROM search_terms WHERE doc % 16 = 15 GROUP BY doc) found WHERE found.doc = search.rowid;
DROP TABLE search_terms;
