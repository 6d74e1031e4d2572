-- The sign-in or API token with which a session was opened: it ends with it. Of
-- those from before nobody knows.
ALTER TABLE session ADD COLUMN credential_id BLOB NOT NULL DEFAULT x'00000000000000000000000000000000';
