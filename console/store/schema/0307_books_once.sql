-- A machine that was set back to an older image tells again what it had not known to be
-- told. What is there twice by now goes first, by an index that is there for no longer.
CREATE INDEX machine_journal_told ON machine_journal (machine_id, hash, id);
DELETE FROM machine_journal WHERE EXISTS (SELECT 1 FROM machine_journal first
	WHERE first.machine_id = machine_journal.machine_id AND first.hash = machine_journal.hash AND first.id < machine_journal.id);
DROP INDEX machine_journal_told;
CREATE UNIQUE INDEX machine_journal_once ON machine_journal (machine_id, hash);
CREATE INDEX fact_change_told ON fact_change (machine_id, at, section, item, id);
DELETE FROM fact_change WHERE EXISTS (SELECT 1 FROM fact_change first WHERE first.machine_id = fact_change.machine_id
	AND first.at = fact_change.at AND first.section = fact_change.section AND first.item = fact_change.item AND first.id < fact_change.id);
DROP INDEX fact_change_told;
CREATE UNIQUE INDEX fact_change_once ON fact_change (machine_id, at, section, item);
