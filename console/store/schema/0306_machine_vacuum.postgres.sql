-- Machines are counted in an index, and for each that changed since the last vacuum its
-- row is read beside it. By default that waits until a fifth of all has changed.
ALTER TABLE machine SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 200);
