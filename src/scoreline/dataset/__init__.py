"""The published data set: units, receipts and commits as plain files, each created at most once."""
