"""Column chunks of Parquet files as bytes: found by the footer, walked page by page, and put into other files."""
