"""One JSON file describes a batch machine-learning job over partitioned data; Scoreline runs it."""
