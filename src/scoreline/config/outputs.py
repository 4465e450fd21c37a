"""Whether what a job writes could land inside what it reads, or the other way round."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, TypeGuard

from scoreline.config.contents import child, items
from scoreline.config.faults import Fault
from scoreline.errors import UsageError
from scoreline.storage import absolute, join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scoreline.config.positions import JsonPath

_GLOB = frozenset("*?[")


def overlaps(config: dict[str, Any]) -> Iterator[Fault]:
    """Locations that are written and read by the same job, by name alone: the disk is not asked."""
    outputs = list(_outputs(config))
    inputs = list(_inputs(config))
    for path, uri, folder in outputs:
        for source_path, source in inputs:
            if _may_hold(source, folder) or _is_inside(source, folder):
                what = f'the output "{uri}" overlaps the input "{source}"'
                yield Fault(path, what, f"write somewhere else than the job reads ({_name(source_path)})")
                break
    yield from _between_outputs(config)


def _between_outputs(config: dict[str, Any]) -> Iterator[Fault]:
    sink, artifacts = (child(config, *path) for path in (("predict", "sink", "uri"), ("artifacts",)))
    places = (sink, sink.rstrip("/") + ".store") if _is_known(sink) else ()
    if _is_known(artifacts) and any(_is_inside(artifacts, place) for place in places):
        advice = "give each a folder of its own: predictions must hold nothing but predictions"
        yield Fault(("artifacts",), "the artifacts would lie inside the predictions", advice)


def _outputs(config: dict[str, Any]) -> Iterator[tuple[JsonPath, str, str]]:
    """Path in the config, location as written there, and each folder that is written."""
    sink, artifacts = child(config, "predict", "sink", "uri"), config.get("artifacts")
    if _is_known(sink):
        yield ("predict", "sink", "uri"), sink, sink
        yield ("predict", "sink", "uri"), sink, sink.rstrip("/") + ".store"
    if _is_known(artifacts):
        for folder in ("runs", "models"):
            yield ("artifacts",), artifacts, join(artifacts, folder)


def _inputs(config: dict[str, Any]) -> Iterator[tuple[JsonPath, str]]:
    paths: list[JsonPath] = [("source",), ("predict", "source"), ("evaluate", "source")]
    for path in paths:
        uri = child(config, *map(str, path), "uri")
        if _is_known(uri):
            yield (*path, "uri"), uri
    for path, step in items(config, "clean"):
        reference = step.get("with")
        if _is_known(reference):
            yield (*path, "with"), reference


def _is_known(uri: Any) -> TypeGuard[str]:
    """Whether something is a location that we can compare with others."""
    try:
        return isinstance(uri, str) and bool(uri) and bool(absolute(uri))
    except UsageError:
        return False


def _name(path: JsonPath) -> str:
    return ".".join(str(part) for part in path)


def _segments(uri: str) -> list[str]:
    return absolute(uri).rstrip("/").split("/")


def _may_hold(source: str, folder: str) -> bool:
    """Whether files below a folder would be among the files that a source names: a file, folder or glob."""
    return _matches_below(_segments(source), _segments(folder), is_glob=bool(_GLOB & set(source)))


def _matches_below(pattern: list[str], folder: list[str], *, is_glob: bool) -> bool:
    if not is_glob:
        return folder[: len(pattern)] == pattern
    for number, part in enumerate(folder):
        if number >= len(pattern):
            return False
        if pattern[number] == "**":
            return True
        if not fnmatchcase(part, pattern[number]):
            return False
    return len(pattern) > len(folder)


def _is_inside(location: str, folder: str) -> bool:
    """Whether a file, folder or glob lies in a folder or is it."""
    fixed = _segments(folder)
    return _segments(location)[: len(fixed)] == fixed
