-- What a machine's books are bounded by: the order in which lines came.
DROP INDEX fact_change_newest;
CREATE INDEX fact_change_arrival ON fact_change (machine_id, id);
DROP INDEX machine_journal_newest;
CREATE INDEX machine_journal_arrival ON machine_journal (machine_id, id);
