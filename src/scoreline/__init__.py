"""One JSON file describes a batch machine-learning job over partitioned data; Scoreline runs it.

>>> import scoreline as sl
>>> sorted(sl.__all__)
['Bundle', 'check', 'current', 'evaluate', 'predict', 'run', 'train']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scoreline.api import check, current, evaluate, predict, run, train
    from scoreline.bundle.bundle import Bundle

__all__ = ["Bundle", "check", "current", "evaluate", "predict", "run", "train"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that ``scoreline --help`` need not wait for pandas."""
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(name)
    return getattr(import_module("scoreline.bundle.bundle" if name == "Bundle" else "scoreline.api"), name)
