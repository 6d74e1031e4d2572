-- The order in which tickets are worked on: what waits for somebody else comes after
-- all that does not. The expression is that of the list, letter by letter.
CREATE INDEX ticket_turn ON ticket (organisation_id, (CASE state WHEN 'on_hold' THEN 1 ELSE 0 END), priority, created_at, id);
