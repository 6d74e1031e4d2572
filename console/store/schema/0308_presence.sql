-- When a node last said that it is alive, whichever it was. One row.
CREATE TABLE presence (
	one     BIGINT NOT NULL PRIMARY KEY, -- always 1
	last    BIGINT NOT NULL, -- 0: none ever did
	settles BIGINT NOT NULL  -- by then machines have had the time to come back after none was there
);
-- Where there are machines a console was there before, and nobody knows when.
INSERT INTO presence (one, last, settles) SELECT 1, CASE WHEN EXISTS (SELECT 1 FROM machine) THEN 1 ELSE 0 END, 0;
