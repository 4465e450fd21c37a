"""Metrics: numbers from sums that add up over parts. One file, one kind."""
