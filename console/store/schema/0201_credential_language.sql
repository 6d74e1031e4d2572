-- The language of whoever came to the help page, as their browser said.
ALTER TABLE credential ADD COLUMN language CTEXT NOT NULL DEFAULT '';
