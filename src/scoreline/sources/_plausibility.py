# ruff: noqa: RUF001  the characters that look like others are meant
"""How well words read under an encoding.

Accented letters stand between letters of their own case and some are common; signs do not stand inside words. Points
are tuned on word lists of Portuguese, Spanish, French, German, Italian, Swedish and English: three words nearly always
tell Windows-1252, Mac Roman and DOS code page 850 apart.
"""

from __future__ import annotations

import re

_PRIOR = {"cp1252": 2.0, "mac_roman": 0.0, "cp850": -0.5}
_LETTERS = {**dict.fromkeys("áéíóúãçñäöüèêàß", 2.0), **dict.fromkeys("âôõåæøûîùïëœì", 1.0), **dict.fromkeys("ò", 0.0)}
_RARE_LETTER = -2.0
_ALONE = frozenset("àéèóÀÉÈÓÁÔ")
_VOWELS = frozenset("aeiouyáéíóúâêôãõàèìòùäöüåæø")
_SIGNS = frozenset("€°ºª£«»“”‘’–—…®©™²³½µ¡¿\xa0§·¼¾±×")
_ELISION = re.compile(
    r"^(?:[cdjlmnst]|qu|lorsqu|puisqu|jusqu|aujourd|dell|nell|all|dall|sull|un|quell)’\w|\w’(?:[stdm]|re|ll|ve)\W*$",
    re.IGNORECASE,
)


def points_of(words: frozenset[bytes], encoding: str) -> float:
    """How well words read under an encoding: about two points a word where they do, below none where they do not."""
    return _PRIOR.get(encoding, 0.0) + sum(_word_points(word.decode(encoding, "replace")) for word in sorted(words))


def _word_points(word: str) -> float:
    above = [at for at, character in enumerate(word) if character >= "\x80"]
    return sum(_points(word, at) for at in above) / max(1, len(above))


def _points(word: str, at: int) -> float:
    second, before, character, after = tuple(f" {word}"[at - 1 : at + 3])
    if character < "\xa0" or character == "\ufffd":
        return -6.0
    if not character.isalpha() or character in "ºª":
        return _sign_points(word, character, before, after)
    return _letter_points(character, second, before, after)


def _sign_points(word: str, sign: str, before: str, after: str) -> float:
    if sign not in _SIGNS:
        return -3.0
    if sign == "’" and _ELISION.search(word.strip()):
        return 3.0
    if before.isalpha() and after.isalpha():
        return -1.5 if sign in "–—’" else -4.0
    if sign in "“‘«¡¿":
        return 1.5 if after.isalpha() and before == " " else -1.0
    return 1.5 if (sign in "”’»…ºª" and before != " " and not after.isalpha()) else 0.5


def _letter_points(letter: str, second: str, before: str, after: str) -> float:
    """Points of a letter that follows `second` and `before`."""
    points = _LETTERS.get(letter.lower(), _RARE_LETTER)
    if not before.isalpha() and not after.isalpha():
        return points if letter in _ALONE else points - 3.0
    points -= 2.0 * (before.isdigit() or after.isdigit())
    points -= 4.0 * _breaks_case(letter, second, before, after)
    if letter.lower() in "çñ":
        return points - 2.0 * (after.lower() not in _VOWELS)
    return points - _crowding(letter, before, after)


def _crowding(letter: str, before: str, after: str) -> float:
    """Points lost by letters among others that seldom meet: three above ASCII, or three vowels."""
    if before.isalpha() and after.isalpha() and not before.isascii() and not after.isascii():
        return 4.0
    return 1.0 if _VOWELS.issuperset((letter.lower(), before.lower(), after.lower())) else 0.0


def _breaks_case(letter: str, second: str, before: str, after: str) -> bool:
    if letter.isupper():
        return before.islower() or (after.islower() and before.isalpha())
    return after.isupper() or (before.isupper() and second.isalpha())
