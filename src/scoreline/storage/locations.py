"""Location strings, taken apart and put together; nothing here touches a disk or a network."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from scoreline.errors import Problem, UsageError

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_GLOB = re.compile(r"[*?\[]")


def is_s3(uri: str) -> bool:
    """Whether a location is on S3; raises UsageError for any other scheme than ``s3://``.

    >>> is_s3("s3://bucket/data"), is_s3("data/july.csv")
    (True, False)
    """
    scheme = _SCHEME.match(uri)
    if scheme is None:
        return False
    if scheme[1] != "s3":
        what = f"locations of kind '{scheme[1]}://' are unknown"
        raise UsageError(Problem(what, uri, "write a local path or s3://bucket/key"))
    return True


def join(uri: str, *names: str) -> str:
    """The location of something below another one.

    >>> join("s3://bucket/data/", "2026", "july.csv"), join("/", "data")
    ('s3://bucket/data/2026/july.csv', '/data')
    """
    return "/".join([uri.rstrip("/"), *(name.strip("/") for name in names)])


def absolute(uri: str) -> str:
    """A local path made absolute against the current directory (``~`` is not expanded); S3 unchanged.

    Raises UsageError when there is no current directory any more.

    >>> absolute("/data/./july/")
    '/data/july'
    """
    try:
        return uri if is_s3(uri) else os.path.abspath(uri)  # noqa: PTH100  (resolve() would follow links)
    except FileNotFoundError as error:
        what, advice = "the folder that this was started in is gone", "change to one that is there, or write / paths"
        raise UsageError(Problem(what, uri, advice)) from error


def bucket_and_key(uri: str) -> tuple[str, str]:
    """The two parts of an S3 location; raises UsageError when the bucket is missing.

    >>> bucket_and_key("s3://bucket/data/july.csv")
    ('bucket', 'data/july.csv')
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not bucket:
        raise UsageError(Problem("this S3 location names no bucket", uri, "write s3://bucket/key"))
    return bucket, key


def parent(uri: str) -> str:
    """The folder that holds a location; of a bucket or of ``/`` itself.

    >>> parent("s3://bucket/data/july.csv"), parent("s3://bucket"), parent("/data")
    ('s3://bucket/data', 's3://bucket', '/')
    """
    if is_s3(uri):
        bucket, key = bucket_and_key(uri.rstrip("/"))
        return f"s3://{bucket}/{key}".rpartition("/")[0] if key else f"s3://{bucket}"
    return str(PurePosixPath(uri).parent)


def is_glob(uri: str) -> bool:
    """Whether a location has the characters of a glob.

    >>> is_glob("data/*.csv"), is_glob("data/july.csv")
    (True, False)
    """
    return _GLOB.search(uri) is not None


def split_glob(uri: str) -> tuple[str, str]:
    """A glob as the longest folder without glob characters, absolute, and the pattern below it.

    >>> split_glob("/data/2026-*/part?.csv"), split_glob("/*.csv")
    (('/data', '2026-*/part?.csv'), ('/', '*.csv'))
    """
    folder, slash, _ = literal_prefix(uri).rpartition("/")
    return absolute(folder or slash or "."), uri[len(folder) + len(slash) :]


def literal_prefix(pattern: str) -> str:
    """What every match of a glob pattern begins with.

    >>> literal_prefix("2026-*/part?.csv")
    '2026-'
    """
    return _GLOB.split(pattern, maxsplit=1)[0]


def matches(path: str, pattern: str) -> bool:
    """Whether a relative path matches a glob pattern; ``**`` stands for any number of folders, also none.

    >>> matches("a/b/c.csv", "**/*.csv"), matches("c.csv", "**/*.csv"), matches("a/c.csv", "*.csv")
    (True, True, False)
    """
    return _segments_match(path.split("/"), pattern.split("/"))


def _segments_match(names: list[str], patterns: list[str]) -> bool:
    if not patterns:
        return not names
    if patterns == ["**"]:
        return bool(names)
    if patterns[0] == "**":
        return _segments_match(names, patterns[1:]) or (bool(names) and _segments_match(names[1:], patterns))
    return bool(names) and fnmatchcase(names[0], patterns[0]) and _segments_match(names[1:], patterns[1:])


def is_hidden(path: str) -> bool:
    """Whether readers skip a relative path: one of its names begins with ``.``, or with ``_`` and carries no column.

    >>> is_hidden("2026/_SUCCESS"), is_hidden("2026/july_1.csv"), is_hidden("_day=1/july_1.csv")
    (True, False, False)
    """
    return any(name.startswith(".") or (name.startswith("_") and "=" not in name) for name in path.split("/"))
