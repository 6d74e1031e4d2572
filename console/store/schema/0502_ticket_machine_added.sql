-- Since when a ticket is about a machine; 0 where that is as old as the ticket.
ALTER TABLE ticket_machine ADD COLUMN added_at BIGINT NOT NULL DEFAULT 0;
