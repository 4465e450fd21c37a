"""Column chunks of Parquet files as bytes: found by the footer, walked page by page, and put into other files.

Fields, types, encodings and codecs are called by the numbers that Parquet's ``parquet.thrift`` gives them.
"""
