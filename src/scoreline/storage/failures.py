"""What operating system and S3 report, as users read it: one table."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scoreline.errors import DataError, Problem, ScorelineError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class _Failure:
    what: str
    advice: str
    kind: type[ScorelineError] = StorageError


_MISSING = _Failure("there is no such file", "correct the location", DataError)
_PERMISSION = _Failure("permission denied", "ask for the right to read and write there, or choose another location")
_READ_ONLY = _Failure("the file system is read-only", "choose another location")
_FULL = _Failure("no space is left", "make room or choose another location, then run the same command again")
_QUOTA = _Failure("the quota is used up", "make room or choose another location, then run the same command again")
_NO_LINKS = _Failure("this file system cannot make hard links", "choose a location on another file system")
_NO_BUCKET = _Failure("there is no such bucket", "create it or correct its name, and check AWS_ENDPOINT_URL")
_WRONG_KEYS = _Failure("the credentials are wrong", "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")
_NO_KEYS = _Failure("no credentials were found", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")
_OLD_KEYS = _Failure("the credentials have expired", "renew them, then run the same command again")
_REGION = _Failure("the bucket is in another region", "set AWS_REGION to the region of the bucket")
_NO_SERVER = _Failure("no S3 server answers", "check AWS_ENDPOINT_URL and the network")
_BROKEN = _Failure("the S3 server broke off or did not answer in time", "run the same command again")
_BUSY = _Failure("the S3 server is overloaded or has a fault", "run the same command again later")
_TLS = _Failure("the TLS connection failed", "check AWS_ENDPOINT_URL and its certificate, or set AWS_CA_BUNDLE")

_TABLE = {
    "ENOENT": _MISSING,
    "EACCES": _PERMISSION,
    "EPERM": _Failure("the operation is not permitted", "choose a location on a file system with hard links"),
    "EROFS": _READ_ONLY,
    "ENOSPC": _FULL,
    "EDQUOT": _QUOTA,
    "EFBIG": _Failure("the file is larger than this file system allows", "choose another location or smaller units"),
    "EISDIR": _Failure("there is a folder, not a file", "name a file"),
    "ENOTDIR": _Failure("a file is in the way of a folder", "choose another location, or move the file"),
    "ENOTEMPTY": _Failure("the folder is not empty", "choose another location"),
    "ENAMETOOLONG": _Failure("the name is too long", "choose a shorter name"),
    "ELOOP": _Failure("symbolic links lead in a circle", "mend the links"),
    "EMFILE": _Failure("too many files are open", "raise the limit (ulimit -n) or use fewer threads"),
    "EIO": _Failure("the disk reports an error", "check the disk, then run the same command again"),
    "ESTALE": _Failure("the network file system lost the file", "run the same command again"),
    "EMLINK": _Failure("the file has as many hard links as the file system allows", "choose another location"),
    "EOPNOTSUPP": _NO_LINKS,
    "ENOSYS": _NO_LINKS,
    "BadDigest": _Failure("the bytes arrived damaged", "run the same command again"),
    "NoSuchKey": _MISSING,
    "NoSuchBucket": _NO_BUCKET,
    "InvalidBucketName": _NO_BUCKET,
    "ParamValidationError": _Failure("this is not a possible name of a bucket or key", "correct the location"),
    "AccessDenied": _PERMISSION,
    "SignatureDoesNotMatch": _WRONG_KEYS,
    "InvalidAccessKeyId": _WRONG_KEYS,
    "InvalidToken": _WRONG_KEYS,
    "NoCredentialsError": _NO_KEYS,
    "PartialCredentialsError": _NO_KEYS,
    "CredentialRetrievalError": _NO_KEYS,
    "ProfileNotFound": _Failure("there is no such AWS profile", "correct AWS_PROFILE, or unset it"),
    "ConfigParseError": _Failure("the AWS configuration file cannot be read", "mend it, or correct AWS_CONFIG_FILE"),
    "ExpiredToken": _OLD_KEYS,
    "TokenRefreshRequired": _OLD_KEYS,
    "UnauthorizedSSOTokenError": _OLD_KEYS,
    "SSOTokenLoadError": _OLD_KEYS,
    "TokenRetrievalError": _OLD_KEYS,
    "RequestTimeTooSkewed": _Failure("the clock of this machine is wrong", "set the clock"),
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "InvalidRegionError": _Failure("AWS_REGION is not a possible region", "correct AWS_REGION"),
    "EntityTooLarge": _Failure("the file is larger than one S3 upload allows", "use smaller units"),
    "QuotaExceeded": _QUOTA,
    "InsufficientStorage": _FULL,
    "NotImplemented": _Failure("this S3 server lacks a needed function", "use a server with conditional writes"),
    "EndpointConnectionError": _NO_SERVER,
    "ConnectTimeoutError": _NO_SERVER,
    "ProxyConnectionError": _NO_SERVER,
    "ResponseParserError": _Failure("the answer is not one of an S3 server", "check AWS_ENDPOINT_URL"),
    "SSLError": _TLS,
    "HTTPClientError": _BROKEN,
    "IncompleteReadError": _BROKEN,
    "SlowDown": _BUSY,
    "ServiceUnavailable": _BUSY,
    "InternalError": _BUSY,
    "429": _BUSY,
    "500": _BUSY,
    "502": _BUSY,
    "503": _BUSY,
    "504": _BUSY,
    "403": _PERMISSION,
    "404": _Failure("the S3 server knows no such place", "correct the location, and check AWS_ENDPOINT_URL"),
}


@contextmanager
def translated(uri: str, *kinds: type[Exception], tried: str = "") -> Iterator[None]:
    """Raise errors of the given kinds as our own, the first one kept as cause.

    ``tried`` says with which settings it was; neither it nor a message of the table may hold a secret.
    """
    try:
        yield
    except kinds as error:
        raise translate(error, uri, tried) from error


@contextmanager
def named(uri: str) -> Iterator[None]:
    """Let errors of the system that name no file name this one: what is written to by its descriptor has no name."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or uri
        raise


def translate(error: Exception, uri: str, tried: str = "") -> ScorelineError:
    """The error that a user sees instead of one of the operating system or of S3.

    >>> print(translate(OSError(28, "No space left on device"), "/data/july.parquet"))
    no space is left
      where: /data/july.parquet
      do:    make room or choose another location, then run the same command again
    """
    names = _names(error)
    unknown = _Failure(f"reading or writing failed ({names[0]})", "run again with --debug to see the cause")
    failure = next((_TABLE[name] for name in names if name in _TABLE), unknown)
    where = f"{uri} ({tried})" if tried else uri
    return failure.kind(Problem(failure.what, where, failure.advice))


def _names(error: Exception) -> tuple[str, ...]:
    """What an error may be called in the table, the most exact name first."""
    answer = getattr(error, "response", None)
    if answer:
        return str(answer["Error"].get("Code")), str(answer["ResponseMetadata"].get("HTTPStatusCode"))
    number = error.errno if isinstance(error, OSError) else None
    own = (errno.errorcode.get(number, str(number)),) if number else ()
    return (*own, *(kind.__name__ for kind in type(error).__mro__))
