"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

ConfigArgument = Annotated[str, typer.Argument(metavar="CONFIG", help="The JSON file that describes the job.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="A.B=VALUE", help="Change one value of the config. Repeatable.")
]
ModuleOption = Annotated[
    list[Path] | None, typer.Option("--module", metavar="FILE", help="A Python file with own steps. Repeatable.")
]
ClusterOption = Annotated[
    str | None, typer.Option("--cluster", metavar="ADDRESS", help="inline, local, or a scheduler: tcp://host:port.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
LogJsonOption = Annotated[bool, typer.Option("--log-json", help="Tell events as JSON lines.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Tell details, and tracebacks of errors.")]


def cluster_override(address: str | None) -> list[str]:
    """``--cluster ADDRESS`` as an override of the config's section. Raises UsageError.

    >>> cluster_override("local")
    ['cluster={"kind": "local"}']
    """
    from scoreline.errors import Problem, UsageError

    if address is None:
        return []
    if address in ("inline", "local"):
        return [_cluster(kind=address)]
    if address.startswith(("tcp://", "tls://")):
        return [_cluster(kind="scheduler", address=address)]
    advice = "write inline, local, or the address of a scheduler such as tcp://10.0.0.5:8786"
    raise UsageError(Problem(f"'{address}' is no cluster", f"--cluster {address}", advice))


def _cluster(**section: Any) -> str:
    import json

    return f"cluster={json.dumps(section)}"
