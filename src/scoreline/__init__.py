"""One JSON file describes a batch machine-learning job over partitioned data; Scoreline runs it.

>>> import scoreline as sl
>>> [name for name in dir(sl) if not name.startswith("_")]
['Bundle', 'ScorelineError', 'check', 'current', 'evaluate', 'predict', 'run', 'train']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scoreline.api import check, current, evaluate, predict, run, train
    from scoreline.bundle.bundle import Bundle
    from scoreline.errors import ScorelineError

    __version__: str

__all__ = ["Bundle", "ScorelineError", "check", "current", "evaluate", "predict", "run", "train"]

_ELSEWHERE = {"Bundle": "scoreline.bundle.bundle", "ScorelineError": "scoreline.errors"}


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that ``scoreline --help`` need not wait for pandas."""
    from importlib import import_module
    from importlib.metadata import version

    if name == "__version__":
        return version("scoreline")
    if name not in __all__:
        raise AttributeError(f"module 'scoreline' has no attribute '{name}'")
    return getattr(import_module(_ELSEWHERE.get(name, "scoreline.api")), name)
