-- The earliest row of a kind is found without passing those of other kinds.
CREATE INDEX due_kind_at ON due (kind, at);
DROP INDEX due_at;
