-- Alerts of machines that were expelled before they ended with that.
INSERT INTO due (kind, id, at, tries, problem)
SELECT 'fleet.gone', id, 0, 0, '' FROM machine WHERE revoked
ON CONFLICT (kind, id) DO NOTHING;
