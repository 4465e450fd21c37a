"""What `make faults` and `make soak` run: everything that may go wrong, counted."""
