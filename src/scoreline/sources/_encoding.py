"""Which encoding text is in: what its bytes allow, and under which encoding its words read well.

UTF-8 shows itself, because hardly any other text is valid UTF-8 by chance. The single-byte encodings of Western Europe
are told apart by how words read under each. When two of them read alike, nothing is guessed.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from scoreline.sources._plausibility import points_of

CANDIDATES = ("cp1252", "mac_roman", "cp850")

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FIRST_LEAD = 0xC0
_MOST_BAD = 0.1
_WORDS_PER_BLOCK, _MOST_WORDS = 256, 2000
_REACH = 24
_WORD = re.compile(rb"[A-Za-z'\x80-\xff]+")

_MARGIN = 2.5
_LEAST_POINTS = 0.5


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the bytes above ASCII in some text say about its encoding.

    Attributes
    ----------
    counts : int64 array of 256, how often each byte above ASCII occurs
    words : some distinct words around such bytes, with one character of what stands next to them
    valid, invalid : characters above ASCII that are valid UTF-8, and places where the bytes are not (estimates when
        there are such places)
    """

    counts: np.ndarray = field(default_factory=lambda: np.zeros(256, np.int64))
    words: frozenset[bytes] = frozenset()
    valid: int = 0
    invalid: int = 0

    def __add__(self, other: Evidence) -> Evidence:
        words = self.words if len(self.words) >= _MOST_WORDS else self.words | other.words
        return Evidence(self.counts + other.counts, words, self.valid + other.valid, self.invalid + other.invalid)


@dataclass(frozen=True)
class Detection:
    """The encoding that was found, or None with the candidates among which nobody can tell, the likeliest first."""

    encoding: str | None
    candidates: tuple[str, ...] = ()


def bom_encoding(head: bytes) -> str | None:
    """The encoding that a byte order mark names; UTF-16 also without one, from its zero bytes.

    >>> bom_encoding("id".encode("utf-16")), bom_encoding(b"id;valor"), bom_encoding("id;valor".encode("utf-16-le"))
    ('utf-16', None, 'utf-16-le')
    """
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    codes = np.frombuffer(head[: len(head) // 2 * 2], np.uint8).reshape(-1, 2)
    if not len(codes):
        return None
    first, second = (codes == 0).mean(axis=0)
    if max(first, second) < 0.3 or min(first, second) > 0.05:
        return None
    return "utf-16-be" if first > second else "utf-16-le"


_NO_FILES = {
    "base64", "bz2", "hex", "idna", "punycode", "quopri", "raw-unicode-escape", "rot-13", "undefined",
    "unicode-escape", "uu", "zlib",
}  # fmt: skip
"""Codecs that Python has for other things than files of text."""


def standard_name(encoding: str) -> str:
    """One name for each encoding of text, whichever of its names is given. Raises LookupError for none.

    >>> standard_name("UTF8"), standard_name("utf-8-sig"), standard_name("latin1"), standard_name("windows-1252")
    ('utf-8', 'utf-8', 'iso8859-1', 'cp1252')
    """
    name = codecs.lookup(encoding).name
    if name in _NO_FILES:
        raise LookupError(encoding)
    return {"utf-8-sig": "utf-8", "mac-roman": "mac_roman"}.get(name, name)


@cache
def keeps_ascii(encoding: str) -> bool:
    """Whether bytes below 128 always mean ASCII, so that records can be cut before the text is decoded.

    >>> keeps_ascii("utf-8"), keeps_ascii("mac_roman"), keeps_ascii("utf-16"), keeps_ascii("shift_jis")
    (True, True, False, False)
    """
    plain = bytes(range(128)) + b"\x1b$B0l"
    if plain.decode(encoding, "replace") != plain.decode("ascii"):
        return False
    pairs = (bytes([first, second]) for first in range(128, 256) for second in range(128))
    return all(pair.decode(encoding, "replace")[-1:] == chr(pair[1]) for pair in pairs)


def evidence_of(data: bytes | memoryview) -> Evidence:
    """Look at every byte above ASCII of some text that does not begin or end inside a character. Eager, one pass."""
    codes = np.frombuffer(data, np.uint8)
    if not len(codes) or codes.max() < 128:
        return Evidence()
    places = np.flatnonzero(codes >= 128)
    counts = np.bincount(codes[places], minlength=256)
    valid, invalid = _as_utf8(data, codes, places)
    step = max(1, len(places) // _WORDS_PER_BLOCK)
    words = frozenset(_word_at(data, place) for place in places[::step].tolist()) if invalid else frozenset()
    return Evidence(counts, words, valid, invalid)


def _as_utf8(data: bytes | memoryview, codes: np.ndarray, places: np.ndarray) -> tuple[int, int]:
    """How many characters above ASCII are valid UTF-8, and how many bytes are not: estimates when some are not."""
    found = codes[places]
    leads = found >= _FIRST_LEAD
    try:
        str(data, "utf-8")
    except UnicodeDecodeError:
        after, before = codes[np.minimum(places + 1, len(codes) - 1)], codes[places - 1]
        followed = leads & (after >= 128) & (after < _FIRST_LEAD)
        lonely = ~leads & (before < 128)
        return int(followed.sum()), max(1, int(lonely.sum() + (leads & ~followed).sum()))
    return int(leads.sum()), 0


def _word_at(data: bytes | memoryview, place: int) -> bytes:
    start = max(0, place - _REACH)
    window = bytes(data[start : place + _REACH])
    word = next(found for found in _WORD.finditer(window) if found.end() > place - start)
    before, after = window[: word.start()][-1:], window[word.end() :][:1]
    return _neighbour(before) + word[0] + _neighbour(after)


def _neighbour(byte: bytes) -> bytes:
    return b"0" if byte.isdigit() else b" "


def misread(evidence: Evidence, encoding: str) -> tuple[int, int]:
    """How many characters above ASCII mean nothing under an encoding that keeps ASCII, and how many there are.

    Control characters above ASCII count as meaning nothing: no text has them, only text in another encoding.
    """
    if encoding == "utf-8":
        return evidence.invalid, evidence.valid + evidence.invalid
    return int(evidence.counts[_meaningless(encoding)].sum()), int(evidence.counts.sum())


@cache
def _meaningless(encoding: str) -> np.ndarray:
    read = [bytes([code]).decode(encoding, "replace") for code in range(256)]
    return np.array([code >= 128 and (text < "\xa0" or text == "\ufffd") for code, text in enumerate(read)], bool)


def detect(evidence: Evidence) -> Detection:
    """The encoding of text in which some evidence was found.

    >>> words = frozenset(f" {word} ".encode("mac_roman") for word in ("SERVIÇO", "AUTO PEÇAS", "SÃO"))
    >>> detect(Evidence(words=words, invalid=3)).encoding
    'mac_roman'
    """
    if evidence.invalid <= _MOST_BAD * (evidence.valid + evidence.invalid):
        return Detection("utf-8")
    points = {encoding: points_of(evidence.words, encoding) for encoding in CANDIDATES}
    best, second = sorted(CANDIDATES, key=lambda encoding: -points[encoding])[:2]
    if points[best] - points[second] < _MARGIN:
        return Detection(None, (best, second))
    if points[best] < _LEAST_POINTS * len(evidence.words):
        return Detection(None, CANDIDATES)
    return Detection(best)
