"""Bytes at a location: a local path, or ``s3://bucket/key``.

Everything here takes the location as a string and keeps nothing open between calls, so that values travel to workers
without clients or secrets in them. Endpoint, region, profile and credentials of S3 come from the ``AWS_*`` variables
of the process that does the work.

One primitive writes what must never be written twice: `create`. What it made is never changed afterwards.
"""

from scoreline.storage.listing import list_files, source_root
from scoreline.storage.locations import absolute, is_s3, join
from scoreline.storage.operations import (
    create,
    delete,
    delete_tree,
    exists,
    list_names,
    open_input,
    probe_writable,
    read_bytes,
    read_json,
    replace,
    sha256_of,
    size,
)
from scoreline.storage.store import Created, FileInfo

__all__ = [
    "Created",
    "FileInfo",
    "absolute",
    "create",
    "delete",
    "delete_tree",
    "exists",
    "is_s3",
    "join",
    "list_files",
    "list_names",
    "open_input",
    "probe_writable",
    "read_bytes",
    "read_json",
    "replace",
    "sha256_of",
    "size",
    "source_root",
]
