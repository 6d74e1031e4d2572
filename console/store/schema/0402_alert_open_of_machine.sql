-- Without it what is open of one machine is looked for among all that is open.
CREATE INDEX alert_open_of_machine ON alert (machine_id, organisation_id) WHERE open_key <> '';
