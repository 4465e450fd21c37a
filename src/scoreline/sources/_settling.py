"""Settling on one encoding for all files of a source, or saying why there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scoreline.errors import DataError, Problem
from scoreline.sources._columns import some_files
from scoreline.sources._encoding import CANDIDATES, Evidence, detect, keeps_ascii, misread
from scoreline.sources._streams import stream_encoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from scoreline.sources._scan import Scan

_MOST_MISREAD = 0.1
_WORDS_OF_A_FILE = 40
_SURE_CHARACTERS = 3


def settle_encoding(scans: Sequence[Scan], forced: str | None) -> tuple[str, tuple[str, ...]]:
    """The encoding of all files, and sentences for the log; `forced` is what the config says.

    Raises DataError when nobody can tell, when files differ, or when they are not in the forced encoding.
    """
    encoding = forced or _found(scans)
    problems = [*_not_in(scans, encoding), *_in_utf8(scans, encoding)]
    if problems:
        raise DataError(*problems)
    return encoding, tuple(_notes(scans, encoding, forced))


def _found(scans: Sequence[Scan]) -> str:
    marked = _by_encoding((scan.encoding, scan) for scan in scans)
    if len(marked) > 1:
        raise DataError(_differing(marked))
    encoding = scans[0].encoding
    if not keeps_ascii(encoding):
        return encoding
    certain = _by_encoding((own, scan) for scan in scans if (own := _own(scan.evidence)) is not None)
    if len(certain) > 1:
        raise DataError(_differing(certain))
    evidence = sum((scan.evidence for scan in scans), Evidence())
    found = detect(evidence)
    if found.encoding is None:
        raise DataError(_undecided(scans, evidence, found.candidates))
    return found.encoding


def _by_encoding(pairs: Iterable[tuple[str, Scan]]) -> dict[str, list[Scan]]:
    groups: dict[str, list[Scan]] = {}
    for encoding, scan in pairs:
        groups.setdefault(encoding, []).append(scan)
    return groups


def _differing(groups: Mapping[str, Sequence[Scan]]) -> Problem:
    lines = (f"{encoding} in {_files(scans)}" for encoding, scans in sorted(groups.items()))
    return Problem("the files differ in encoding", "; ".join(lines), "read each kind by itself, or write them alike")


def _undecided(scans: Sequence[Scan], evidence: Evidence, candidates: Sequence[str]) -> Problem:
    where = _files(scan for scan in scans if scan.evidence.invalid)
    readings = ", ".join(f"{reading(evidence, encoding)} under {encoding}" for encoding in candidates)
    advice = f'set "source.encoding" to the one that reads well: {readings}'
    return Problem(f"the encoding cannot be told: {' or '.join(candidates)} or another", where, advice)


def reading(evidence: Evidence, encoding: str) -> str:
    """How a word of the text reads under an encoding, in quotes."""
    words = sorted(evidence.words, key=lambda word: (abs(len(word) - 10), word))
    return repr(words[0].decode(encoding, "replace").strip(" 0")) if words else "nothing"


def _not_in(scans: Sequence[Scan], encoding: str) -> Iterator[Problem]:
    """A problem when files have many characters that mean nothing under the encoding."""
    wrong = [scan for scan in scans if _share(scan, encoding) > _MOST_MISREAD]
    if wrong:
        worst = max(_share(scan, encoding) for scan in wrong)
        what = (
            f"{len(wrong)} of {len(scans)} files are not in {encoding}: up to {worst:.0%} of the characters above ASCII"
        )
        yield Problem(f"{what} mean nothing in it", _files(wrong), _better(wrong[0].evidence, encoding))


def _share(scan: Scan, encoding: str) -> float:
    bad, total = misread(scan.evidence, stream_encoding(encoding))
    return bad / total if total else 0.0


def _better(evidence: Evidence, encoding: str) -> str:
    found = detect(evidence).encoding
    if found is None or found == encoding:
        return 'set "source.encoding" to the one these files are in'
    return f'set "source.encoding" to "{found}"' + _compared(evidence, encoding, found)


def _compared(evidence: Evidence, encoding: str, better: str) -> str:
    if not evidence.words or not keeps_ascii(encoding):
        return ""
    return f": {reading(evidence, encoding)} then reads {reading(evidence, better)}"


def _in_utf8(scans: Sequence[Scan], encoding: str) -> Iterator[Problem]:
    """A problem when files are clearly UTF-8, which a single-byte encoding reads without complaint."""
    files = [scan for scan in scans if _own(scan.evidence) == "utf-8"]
    if files and encoding != "utf-8" and keeps_ascii(encoding):
        what = f"{len(files)} of {len(scans)} files are in utf-8, not in {encoding}"
        mixed = any(scan.evidence.invalid for scan in scans if scan not in files)
        advice = "read each kind by itself, or write them alike" if mixed else 'set "source.encoding" to "utf-8"'
        yield Problem(what, _files(files), advice)


def _own(evidence: Evidence) -> str | None:
    """The encoding of one file by what it holds itself, if that is enough to be sure."""
    if not evidence.invalid:
        return "utf-8" if evidence.valid >= _SURE_CHARACTERS else None
    if len(evidence.words) < _SURE_CHARACTERS:
        return None
    words = sorted(evidence.words)
    some = frozenset(words[:: max(1, len(words) // _WORDS_OF_A_FILE)])
    return detect(replace(evidence, words=some)).encoding


def _notes(scans: Sequence[Scan], encoding: str, forced: str | None) -> Iterator[str]:
    evidence = sum((scan.evidence for scan in scans), Evidence())
    if forced is None:
        example = f" ({reading(evidence, encoding)})" if evidence.words else ""
        yield f"encoding: {encoding}{example}"
    elif encoding in {*CANDIDATES, "iso8859-1"} and evidence.invalid:
        better = detect(evidence).encoding or encoding
        if better not in (encoding, "utf-8") and {better, encoding} != {"cp1252", "iso8859-1"}:
            yield f"the text reads better under {better} than under {encoding}{_compared(evidence, encoding, better)}"
    bad, _ = misread(evidence, stream_encoding(encoding))
    if bad:
        files = _files(scan for scan in scans if misread(scan.evidence, stream_encoding(encoding))[0])
        yield f"{bad} characters mean nothing in {encoding}: {files}"


def _files(scans: Iterable[Scan]) -> str:
    return some_files([scan.file.path for scan in scans])
