"""Clusters: where tasks run. One file, one kind."""
