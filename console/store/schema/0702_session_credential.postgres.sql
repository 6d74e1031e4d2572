-- The sign-in or API token with which a session was opened: it ends with it. Of
-- those from before nobody knows.
ALTER TABLE session ADD COLUMN credential_id UUID NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
