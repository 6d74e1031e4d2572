-- The language in which the person who asked reads; empty when nobody knows.
ALTER TABLE ticket ADD COLUMN requester_language CTEXT NOT NULL DEFAULT '';
