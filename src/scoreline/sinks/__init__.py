"""Sinks: where predictions go. One file, one kind."""
