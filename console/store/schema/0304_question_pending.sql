-- Only those that are still to be asked: an answer takes its row out, and moves it
-- to no other place.
DROP INDEX question_machine_pending;
CREATE INDEX question_machine_pending ON question_machine (machine_id) WHERE state = 'pending';
