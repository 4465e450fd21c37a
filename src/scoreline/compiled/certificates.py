"""Certificates: what was proven on this machine before is not proven again by every process."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, NamedTuple

from scoreline.compiled.cache import NEW, make_room, place_of, remove

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scoreline.compiled.cache import Place

MOST = 1_000
"""So many certificates are kept; then the oldest ones make room."""

_log = logging.getLogger(__name__)


class Certificate(NamedTuple):
    """A small file that says that a proof was made; where it is, and what it is about: None where nothing is kept."""

    place: Place | None

    @property
    def exists(self) -> bool:
        """Whether the proof was made before, by this user on a machine like this one. Reads one small file."""
        with suppress(OSError):
            place = self.place
            return place is not None and place.is_private and place.path.read_bytes() == place.statement
        return False

    def keep(self) -> None:
        """Say that the proof was made. What keeps it from being written is logged: it is made again then."""
        if self.place is None:
            return
        try:
            folder = self.place.make_folder()
            with NamedTemporaryFile(dir=folder, prefix=NEW, delete=False) as file:
                try:
                    file.write(self.place.statement)
                    file.flush()
                    Path(file.name).replace(self.place.path)
                finally:
                    remove(Path(file.name))
            make_room(folder, lambda _: 1, MOST)
        except OSError as error:
            _log.info("the proof of a compiled pipeline is not remembered: %s", error)

    def revoke(self) -> None:
        """Have the next process prove it again."""
        if self.place is not None:
            remove(self.place.path)


def certificate(stated: Mapping[str, Any]) -> Certificate:
    """The certificate of what is stated, JSON values, on this machine with these packages; it need not exist."""
    return Certificate(place_of("proven", stated))
