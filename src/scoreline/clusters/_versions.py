"""Versions of client, scheduler and workers, compared before anything runs."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from scoreline.errors import ClusterError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from distributed import Client

PACKAGES = ("python", "dask", "distributed", "pyarrow", "pandas", "numpy", "scikit-learn", "scoreline")
_NAMED_AT_MOST = 3

Versions = dict[str, str | None]
"""Version by package of one process; None for a package that is not installed."""


def check_versions(client: Client, timeout: float) -> None:
    """Raise ClusterError naming every package whose version differs or that is missing. One round trip to every worker.

    Nothing is pickled for it, so it works across versions that could not understand each other's pickles.
    """
    from distributed.versions import get_versions

    scheduler: Any = client.scheduler
    wanted = [package for package in PACKAGES if package != "python"]

    async def ask() -> tuple[Any, Any]:
        message = {"op": "versions", "packages": wanted}
        return await scheduler.versions(packages=wanted), await scheduler.broadcast(msg=message, on_error="ignore")

    try:
        at_scheduler, at_workers = client.sync(ask, callback_timeout=timeout)
    except OSError as error:
        what = f"scheduler and workers did not tell their versions within {timeout:g} s"
        advice = "a worker hangs: restart it, or give the cluster a longer timeout_s"
        raise ClusterError(Problem(what, f"cluster {scheduler.address}", advice)) from error
    by_worker = {address: _packages(answer) for address, answer in at_workers.items() if answer}
    problems = differences(_packages(get_versions(packages=wanted)), _packages(at_scheduler), by_worker)
    if problems:
        raise ClusterError(*problems)


def _packages(answer: Mapping[str, Any]) -> Versions:
    found = answer["packages"]
    python = ".".join(found["python"].split(".")[:2])
    return {**{package: found.get(package) for package in PACKAGES}, "python": python}


def differences(client: Versions, scheduler: Versions, workers: Mapping[str, Versions]) -> tuple[Problem, ...]:
    """One problem for each package that is not the same everywhere; a scheduler unpickles estimators too.

    >>> here = dict.fromkeys(PACKAGES, "1.0")
    >>> found = differences(here, here, {"tcp://10.0.0.7:4000": {**here, "pandas": None}})
    >>> print(found[0].what)
    pandas differs: client 1.0, scheduler 1.0, worker tcp://10.0.0.7:4000 not installed
    """
    return tuple(
        _difference(package, client, scheduler, workers)
        for package in PACKAGES
        if len({side[package] for side in (client, scheduler, *workers.values())}) > 1
    )


def _difference(package: str, client: Versions, scheduler: Versions, workers: Mapping[str, Versions]) -> Problem:
    by_version = defaultdict(list)
    for address, versions in sorted(workers.items()):
        by_version[versions[package]].append(address)
    table = [f"client {_shown(client[package])}", f"scheduler {_shown(scheduler[package])}"]
    table += [f"{_named(addresses)} {_shown(version)}" for version, addresses in by_version.items()]
    return Problem(
        f"{package} differs: {', '.join(table)}",
        f"package {package}",
        f"install {package} {client[package] or 'on the client'} everywhere; one image for all is the simplest way",
    )


def _shown(version: str | None) -> str:
    return version or "not installed"


def _named(addresses: list[str]) -> str:
    rest = len(addresses) - _NAMED_AT_MOST
    shown = ", ".join(addresses[:_NAMED_AT_MOST]) + (f" and {rest} more" if rest > 0 else "")
    return f"{'worker' if len(addresses) == 1 else 'workers'} {shown}"
