"""The same kills and lost answers for Scoreline and its peers; see ../README.md."""
