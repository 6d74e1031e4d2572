CREATE INDEX question_ends ON question (ends_at);
