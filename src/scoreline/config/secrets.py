"""Secrets never stand in a config: how they are recognised, and how they are kept out of messages and records."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

HIDDEN = "***"

_CREDENTIALS_IN_URI = re.compile(r"(?<=://)[^/@\s:]+:[^/@\s]+(?=@)")
_ACCESS_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")
_SECRET_IN_QUERY = re.compile(r"(?i)(?<=[?&])((?:[a-z0-9_-]*(?:signature|token|password|secret|key)))=[^&\s]+")
_SECRET_WORDS = frozenset(
    {"password", "passwd", "pwd", "secret", "secrets", "token", "credential", "credentials", "apikey"}
)
_SECRET_PAIRS = frozenset(
    {("access", "key"), ("api", "key"), ("private", "key"), ("secret", "key"), ("account", "key")}
)
_ASSIGNED = re.compile(r"([^=]*)=(.*)", re.DOTALL)


def is_secret_key(key: str) -> bool:
    """Whether a key names a password, token or access key.

    >>> is_secret_key("aws_secret_access_key"), is_secret_key("tokenizer")
    (True, False)
    """
    words = re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower())
    return bool(_SECRET_WORDS & set(words)) or bool(_SECRET_PAIRS & set(pairwise(words)))


def holds_secret(text: str) -> bool:
    """Whether a text carries credentials: ``user:password@`` in a location, a signed URL, an AWS access key.

    >>> holds_secret("s3://me:pass@bucket/data"), holds_secret("s3://bucket/data@2026")
    (True, False)
    """
    return any(pattern.search(text) for pattern in (_CREDENTIALS_IN_URI, _ACCESS_KEY_ID, _SECRET_IN_QUERY))


def without_secrets(text: str) -> str:
    """A text with the credentials in it hidden; of ``key=value`` with a secret key, the whole value.

    >>> without_secrets("predict.password=hunter2"), without_secrets("source.uri=s3://me:pass@bucket/data")
    ('predict.password=***', 'source.uri=s3://***@bucket/data')
    """
    assigned = _ASSIGNED.fullmatch(text)
    if assigned and is_secret_key(assigned[1].rpartition(".")[2]):
        return f"{assigned[1]}={HIDDEN}"
    text = _CREDENTIALS_IN_URI.sub(HIDDEN, text)
    return _SECRET_IN_QUERY.sub(rf"\1={HIDDEN}", _ACCESS_KEY_ID.sub(HIDDEN, text))


def redacted(value: Any) -> Any:
    """A JSON value with the credentials in its texts hidden.

    >>> redacted({"uri": "s3://me:pass@bucket/data", "rows": 5})
    {'uri': 's3://***@bucket/data', 'rows': 5}
    """
    if isinstance(value, dict):
        return {key: redacted(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted(inner) for inner in value]
    return without_secrets(value) if isinstance(value, str) else value
