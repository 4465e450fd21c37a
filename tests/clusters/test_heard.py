"""Nannies keep what they write about their workers, and nobody else hears more than before."""

import logging
from collections.abc import Iterator

import pytest

from scoreline.clusters._heard import _hearing
from scoreline.clusters._shared import Shared

LOG = logging.getLogger("distributed.nanny")


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


@pytest.fixture
def nanny(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    """What a nanny keeps."""
    before = LOG.level
    monkeypatch.setattr(LOG, "disabled", False)
    kept = Kept()
    LOG.addHandler(kept)
    yield kept
    LOG.removeHandler(kept)
    LOG.setLevel(before)


@pytest.fixture
def above() -> Iterator[Kept]:
    """What the program hears."""
    kept, log = Kept(), logging.getLogger("distributed")
    log.addHandler(kept)
    yield kept
    log.removeHandler(kept)


def test_deaths_are_kept_and_the_program_hears_what_it_asked_for(nanny: Kept, above: Kept) -> None:
    LOG.setLevel(logging.WARNING)
    with _hearing():
        LOG.info("died")
        LOG.warning("slow")
    LOG.info("later")
    assert (nanny.texts, above.texts) == (["died", "slow"], ["slow"])


def test_a_program_that_hears_nothing_goes_on_hearing_nothing(nanny: Kept, above: Kept) -> None:
    LOG.disabled = True
    with _hearing():
        LOG.warning("slow")
    assert (nanny.texts, above.texts, LOG.disabled) == (["slow"], [], True)


def test_a_program_that_hears_all_hears_it_once(nanny: Kept, above: Kept) -> None:
    LOG.setLevel(logging.INFO)
    with _hearing():
        LOG.info("died")
    assert (nanny.texts, above.texts) == (["died"], ["died"])


def test_the_last_of_several_sessions_undoes_it(nanny: Kept) -> None:
    LOG.setLevel(logging.ERROR)
    heard = Shared(_hearing)
    first, second = heard.used(), heard.used()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    LOG.info("died")
    second.__exit__(None, None, None)
    assert (nanny.texts, LOG.level, LOG.propagate) == (["died"], logging.ERROR, True)
