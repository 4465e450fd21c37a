"""Evaluate: judge the bundle on rows that the model never saw, from sums that add up over units."""
