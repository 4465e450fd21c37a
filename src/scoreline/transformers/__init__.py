"""Transformers: what is learned from training rows to make features. One file, one kind."""
