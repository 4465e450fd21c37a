"""Fitted pipelines compiled to look-up tables and flat arrays: the answers of scikit-learn, several times faster."""
