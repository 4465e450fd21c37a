"""Workloads, peers and results; see README.md."""
