"""Requests to S3 that may be sent again, and for how long: what errors mean, and pauses that grow.

A server may refuse, break off or stall for a while; a run of hours should not end by that. One that cannot be reached
at all is given up after a few attempts: then the address is wrong more often than not.
"""

from __future__ import annotations

import random
import time
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError, SSLError
from botocore.exceptions import ConnectionError as NotConnected
from botocore.parsers import ResponseParserError

from scoreline.storage.failures import translate
from scoreline.storage.s3_client import S3_ERRORS, settings, single_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Found = TypeVar("Found")

PATIENCE_SECONDS = 60.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_MOST_UNREACHED = 3
_NOT_TAKEN = {"RequestTimeout", "BadDigest"}


class Meaning(Enum):
    """What an error says about a request."""

    THERE = auto()
    LOST = auto()
    CONFLICT = auto()
    NOT_TAKEN = auto()
    REFUSED = auto()


def ask(uri: str, operation: str, **request: Any) -> dict[str, Any]:
    """The answer to a request that does no harm when it is sent twice. Raises as `patiently`."""

    def send() -> dict[str, Any]:
        answer: dict[str, Any] = getattr(single_client(), operation)(**request)
        return answer

    return patiently(uri, send)


def patiently(uri: str, send: Callable[[], Found]) -> Found:
    """What a call gives that may be made again; it is, for a minute, as long as the server may recover.

    Raises StorageError or DataError naming `uri`, with the last error as the cause.
    """
    unreached = 0
    for _ in attempts():
        try:
            return send()
        except S3_ERRORS as error:
            failure: Exception = error
        unreached += meaning(failure) is Meaning.NOT_TAKEN and isinstance(failure, NotConnected)
        if meaning(failure) in (Meaning.REFUSED, Meaning.THERE) or unreached == _MOST_UNREACHED:
            break
    raise translate(failure, uri, settings()) from failure


def attempts() -> Iterator[None]:
    """Come by again and again, with growing pauses, until patience ends."""
    deadline, pause = time.monotonic() + PATIENCE_SECONDS, _FIRST_PAUSE
    yield
    while time.monotonic() + pause < deadline:
        time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  (spreads writers, keeps no secret)
        pause = min(2 * pause, _LONGEST_PAUSE)
        yield


def meaning(error: Exception) -> Meaning:
    """What an error of S3 says about the request."""
    if isinstance(error, ClientError):
        return _meaning_of_answer(error)
    if isinstance(error, (HTTPClientError, IncompleteReadError, SSLError, ResponseParserError)):
        return Meaning.LOST
    return Meaning.NOT_TAKEN if isinstance(error, NotConnected) else Meaning.REFUSED


def _meaning_of_answer(error: ClientError) -> Meaning:
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    if status == HTTPStatus.PRECONDITION_FAILED:
        return Meaning.THERE
    if status == HTTPStatus.CONFLICT:
        return Meaning.CONFLICT
    if status == HTTPStatus.TOO_MANY_REQUESTS or error.response["Error"]["Code"] in _NOT_TAKEN:
        return Meaning.NOT_TAKEN
    return Meaning.LOST if status >= 500 and status != HTTPStatus.NOT_IMPLEMENTED else Meaning.REFUSED
