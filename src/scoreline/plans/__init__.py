"""Plans: everything about a job that can be settled before a row is read, with all its problems at once."""
