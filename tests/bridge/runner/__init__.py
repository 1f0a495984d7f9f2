"""Who carries the turns of accounts elsewhere: threads on any database, and a queue on PostgreSQL."""
