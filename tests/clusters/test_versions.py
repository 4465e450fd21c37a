import pytest

from scoreline.clusters._versions import PACKAGES, Versions, differences

HERE: Versions = dict.fromkeys(PACKAGES, "1.0")
WORKER = "tcp://10.0.0.7:4000"


def test_equal_versions_are_no_problem() -> None:
    assert differences(HERE, HERE, {WORKER: HERE}) == ()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_that_differs_on_a_worker_is_named_with_all_versions(package: str) -> None:
    (problem,) = differences(HERE, HERE, {WORKER: {**HERE, package: "0.9"}})
    assert problem.what == f"{package} differs: client 1.0, scheduler 1.0, worker {WORKER} 0.9"
    assert f"install {package} 1.0" in problem.advice


def test_a_package_that_is_missing_is_said_to_be_missing() -> None:
    (problem,) = differences(HERE, HERE, {WORKER: {**HERE, "pyarrow": None}})
    assert f"worker {WORKER} not installed" in problem.what


def test_all_packages_that_differ_are_named_at_once() -> None:
    found = differences(HERE, {**HERE, "dask": "0.9"}, {WORKER: {**HERE, "numpy": "0.9"}})
    assert [problem.where for problem in found] == ["package dask", "package numpy"]


def test_many_workers_are_counted_and_not_listed() -> None:
    workers = {f"tcp://10.0.0.{number}:1": {**HERE, "pandas": "0.9"} for number in range(1, 8)}
    (problem,) = differences(HERE, HERE, workers)
    assert "workers tcp://10.0.0.1:1, tcp://10.0.0.2:1, tcp://10.0.0.3:1 and 4 more 0.9" in problem.what
