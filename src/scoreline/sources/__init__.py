"""Sources: where records come from. One file, one kind."""
