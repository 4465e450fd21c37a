"""Creating an object of S3 once, also when answers get lost.

Why not let the SDK retry: if the first request arrives and its answer is lost, the second one is refused with 412, and
the program believes that somebody else was faster. So every request is sent once, and after a lost answer the object
is read back.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from scoreline.errors import DataError, StorageError
from scoreline.storage.failures import translate
from scoreline.storage.locations import bucket_and_key
from scoreline.storage.s3_client import S3_ERRORS, settings, single_client
from scoreline.storage.s3_file import S3File
from scoreline.storage.s3_requests import Meaning, attempts, meaning
from scoreline.storage.store import Created

_log = logging.getLogger(__name__)


def create(uri: str, body: bytes | Path) -> Created:
    """Create an object that must not exist yet, with one conditional PUT; see `scoreline.storage.create`.

    Requests that were not taken are repeated for a minute. An answer that got lost stays lost: from then on only what
    is read back counts.
    """
    digest, lost = _sha256(body), False
    for _ in attempts():
        try:
            put(single_client(), uri, body, digest, IfNoneMatch="*")
        except S3_ERRORS as error:
            failure, answer = error, meaning(error)
        else:
            return Created.CREATED
        lost = lost or answer is Meaning.LOST
        if lost and (found := _read_back(uri, digest)):
            return found
        if answer is Meaning.THERE and not lost:
            return Created.EXISTS
        if answer is Meaning.REFUSED:
            break
    if lost or answer is Meaning.CONFLICT:
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


def _read_back(uri: str, digest: bytes) -> Created | None:
    """Whose content is there now; None when nothing is, or when it cannot be read."""
    try:
        with S3File(uri) as file:
            found = hashlib.file_digest(file, "sha256").digest()
    except (DataError, StorageError):
        return None
    return Created.CREATED if found == digest else Created.EXISTS
