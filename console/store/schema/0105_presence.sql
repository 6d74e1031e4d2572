-- When a node last said that it is alive, whichever it was. One row.
CREATE TABLE presence (
	one     BIGINT NOT NULL PRIMARY KEY, -- always 1
	last    BIGINT NOT NULL, -- 0: none ever did
	settles BIGINT NOT NULL  -- by then machines have had the time to come back after none was there
);
INSERT INTO presence (one, last, settles) VALUES (1, 0, 0);
