"""Clients of S3, made from the ``AWS_*`` variables of this process and never kept in values."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from botocore.utils import parse_timestamp

from scoreline.errors import Problem, StorageError

S3_ERRORS = (BotoCoreError, ClientError, ResponseParserError)
"""What a call of S3 may raise."""

_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 60


def settings() -> str:
    """Endpoint, region and profile as they would be used now, without secrets."""
    found = {"endpoint": _shown(_endpoint()), "region": _region(), "profile": os.environ.get("AWS_PROFILE")}
    return ", ".join(f"{name} {value}" for name, value in found.items() if value) or "the default AWS settings"


def single_client() -> Any:
    """A client that sends every request once: what may be sent again is for the caller to know."""
    return _client(_fingerprint())


def _fingerprint() -> str:
    """Changes with the variables that a client is made from, and in a forked process."""
    variables = sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_"))
    return hashlib.sha256(repr((os.getpid(), variables)).encode()).hexdigest()


@lru_cache(maxsize=8)
def _client(fingerprint: str) -> Any:  # noqa: ARG001  (the fingerprint is there for the cache alone)
    endpoint = _endpoint()
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_ANSWER_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=50,
        # Servers other than Amazon's rarely have a host name for each bucket.
        s3={"addressing_style": "path"} if endpoint else None,
    )
    session = botocore.session.Session()
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
    try:
        return session.create_client("s3", region_name=_region(), endpoint_url=endpoint, config=config)
    except ValueError as error:
        if isinstance(error, BotoCoreError):
            raise
        advice = "write http://host:port or https://host"
        raise StorageError(Problem("AWS_ENDPOINT_URL is not a possible address", _shown(endpoint), advice)) from error


def _moment(written: Any) -> datetime:
    """A moment in an answer. Of a listing of many names its moments take most of the time as botocore reads them."""
    try:
        return datetime.fromisoformat(written)
    except (TypeError, ValueError):
        moment: datetime = parse_timestamp(written)
        return moment


def _endpoint() -> str | None:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint and "@" in urlsplit(endpoint).netloc:
        advice = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead"
        raise StorageError(Problem("AWS_ENDPOINT_URL holds a user name or password", _shown(endpoint), advice))
    return endpoint


def _region() -> str | None:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def _shown(endpoint: str | None) -> str:
    parts = urlsplit(endpoint or "")
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
