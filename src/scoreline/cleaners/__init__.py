"""Cleaning steps: pure functions of a part that learn nothing from data. One file, one kind."""
