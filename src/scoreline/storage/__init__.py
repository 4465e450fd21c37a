"""Bytes at a location: a local path, or ``s3://bucket/key``.

Everything here takes the location as a string and keeps nothing open between calls, so that values travel to workers
without clients or secrets in them. Endpoint, region, profile and credentials of S3 come from the ``AWS_*`` variables
of the process that does the work.

One primitive writes what must never be written twice: `create`. What it made is never changed afterwards.
"""

from scoreline.storage.listing import list_files, source_root
from scoreline.storage.locations import absolute, is_s3, join, parent
from scoreline.storage.operations import (
    create,
    delete,
    delete_tree,
    draft,
    exists,
    info,
    link,
    list_names,
    list_sizes,
    mapped,
    newest_change,
    open_input,
    point,
    probe_writable,
    read_all,
    read_bytes,
    read_json,
    rename,
    replace,
    settle,
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
    "draft",
    "exists",
    "info",
    "is_s3",
    "join",
    "link",
    "list_files",
    "list_names",
    "list_sizes",
    "mapped",
    "newest_change",
    "open_input",
    "parent",
    "point",
    "probe_writable",
    "read_all",
    "read_bytes",
    "read_json",
    "rename",
    "replace",
    "settle",
    "sha256_of",
    "size",
    "source_root",
]
