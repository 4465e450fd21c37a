"""Creating an object of S3 once, also when answers get lost.

Why not let the SDK retry: if the first request arrives and its answer is lost, the second one is refused with 412, and
the program believes that somebody else was faster. So every request is sent once, and after a lost answer the object
is read back.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import random
import time
from contextlib import nullcontext
from enum import Enum, auto
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, HTTPClientError, SSLError
from botocore.exceptions import ConnectionError as NotConnected
from botocore.parsers import ResponseParserError

from scoreline.errors import DataError, StorageError
from scoreline.storage.failures import translate
from scoreline.storage.locations import bucket_and_key
from scoreline.storage.s3_client import S3_ERRORS, settings, single_client
from scoreline.storage.s3_file import S3File
from scoreline.storage.store import Created

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger(__name__)
_PATIENCE_SECONDS = 60.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_NOT_TAKEN = {"RequestTimeout", "BadDigest"}


class _Answer(Enum):
    """What an error says about a conditional write."""

    THERE = auto()
    LOST = auto()
    CONFLICT = auto()
    NOT_TAKEN = auto()
    REFUSED = auto()


def create(uri: str, body: bytes | Path) -> Created:
    """Create an object that must not exist yet, with one conditional PUT; see `scoreline.storage.create`.

    Requests that were not taken are repeated for a minute. An answer that got lost stays lost: from then on only what
    is read back counts.
    """
    digest, lost = _sha256(body), False
    for _ in _attempts():
        try:
            put(single_client(), uri, body, digest, IfNoneMatch="*")
        except S3_ERRORS as error:
            failure, answer = error, _meaning(error)
        else:
            return Created.CREATED
        lost = lost or answer is _Answer.LOST
        if lost and (found := _read_back(uri, digest)):
            return found
        if answer is _Answer.THERE and not lost:
            return Created.EXISTS
        if answer is _Answer.REFUSED:
            break
    if lost or answer is _Answer.CONFLICT:
        _log.warning("nobody can tell whether %s was created (%s)", uri, type(failure).__name__)
        return Created.UNKNOWN
    raise translate(failure, uri, settings()) from failure


def put(client: Any, uri: str, body: bytes | Path, digest: bytes, **conditions: str) -> None:
    """Send one object with its SHA-256, which the server compares with what arrives."""
    bucket, key = bucket_and_key(uri)
    checksum = base64.b64encode(digest).decode()
    with body.open("rb") if isinstance(body, Path) else nullcontext(body) as content:
        client.put_object(Bucket=bucket, Key=key, Body=content, ChecksumSHA256=checksum, **conditions)


def _sha256(body: bytes | Path) -> bytes:
    if isinstance(body, bytes):
        return hashlib.sha256(body).digest()
    with body.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _attempts() -> Iterator[None]:
    """Come by again and again, with growing pauses, until patience ends."""
    deadline, pause = time.monotonic() + _PATIENCE_SECONDS, _FIRST_PAUSE
    yield
    while time.monotonic() + pause < deadline:
        time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  (spreads writers, keeps no secret)
        pause = min(2 * pause, _LONGEST_PAUSE)
        yield


def _meaning(error: Exception) -> _Answer:
    if isinstance(error, ClientError):
        return _meaning_of_answer(error)
    if isinstance(error, (HTTPClientError, SSLError, ResponseParserError)):
        return _Answer.LOST
    return _Answer.NOT_TAKEN if isinstance(error, NotConnected) else _Answer.REFUSED


def _meaning_of_answer(error: ClientError) -> _Answer:
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    if status == HTTPStatus.PRECONDITION_FAILED:
        return _Answer.THERE
    if status == HTTPStatus.CONFLICT:
        return _Answer.CONFLICT
    if status == HTTPStatus.TOO_MANY_REQUESTS or error.response["Error"]["Code"] in _NOT_TAKEN:
        return _Answer.NOT_TAKEN
    return _Answer.LOST if status >= 500 and status != HTTPStatus.NOT_IMPLEMENTED else _Answer.REFUSED


def _read_back(uri: str, digest: bytes) -> Created | None:
    """Whose content is there now; None when nothing is, or when it cannot be read."""
    try:
        with S3File(uri) as file:
            found = hashlib.file_digest(file, "sha256").digest()
    except (DataError, StorageError):
        return None
    return Created.CREATED if found == digest else Created.EXISTS
