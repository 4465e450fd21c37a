import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from benchmarks.markdown import put
from benchmarks.peers.workloads import WORKLOADS
from benchmarks.peers_speed import medians, ratio
from benchmarks.speed_tables import TITLES, full, plot, short


def figures(seconds: float) -> dict[str, float]:
    return {"seconds": seconds, "cpu_seconds": 2.0, "tree_mib": 100.0, "process_mib": 50.0, "load": 0.1}


def result(contender: str, rows: int, *pairs: tuple[float, float]) -> dict[str, Any]:
    found = [{"ours": figures(ours), "theirs": figures(theirs)} for ours, theirs in pairs]
    about = {"workload": "logistic", "rows": rows, "workers": 2, "contender": contender, "versions": {"python": "3"}}
    return about | {"peers": {contender: "1.0"}, "pairs": found, "ratio": ratio(found), "median": medians(found)}


def without_figure(contender: str, more: dict[str, Any]) -> dict[str, Any]:
    found = result(contender, 2_000_000, (4.0, 600.0))
    return {key: value for key, value in found.items() if key not in {"ratio", "median"}} | more


FOUND = {
    "a": result("dask", 200_000, (1.0, 2.0), (1.0, 8.0), (2.0, 8.0)),
    "b": result("pandas", 200_000, (1.0, 3.0)) | {"first": figures(2.0)},
    "c": result("dask", 2_000_000, (4.0, 20.0)),
    "d": without_figure("ray", {"over_seconds": 600.0}),
    "e": without_figure("spark", {"failed": "exit code 1"}),
}
LOGISTIC = "| logistic regression, 22 classes"


def test_a_ratio_is_the_median_over_pairs_with_the_least_and_the_most() -> None:
    assert FOUND["a"]["ratio"] == {"median": 4.0, "least": 2.0, "most": 8.0}


def test_the_short_table_has_a_line_a_size_and_says_what_has_no_figure() -> None:
    lines = [line.removeprefix(LOGISTIC) for line in short(FOUND).splitlines() if line.startswith(LOGISTIC)]
    assert lines == [
        " | 200,000 | 200,000 | 4.00 (2.00 to 8.00) |  |  |  |  |  | 3.00 (3.00 to 3.00) | 1.50 |",
        " | 2,000,000 | 500,000 | 5.00 (5.00 to 5.00) | over 600 s: more than 150.0 | failed |  |  |  |  |  |",
    ]


def test_the_mean_is_over_the_fastest_peer_of_each_line() -> None:
    assert f"geometric mean: {(3.0 * 5.0) ** 0.5:.2f}." in short(FOUND)


def test_all_figures_have_a_table_for_each_size() -> None:
    heads = [line for line in full(FOUND).splitlines() if line.startswith("logistic")]
    assert heads == [f"logistic regression, 22 classes, {rows} rows, 2 workers" for rows in ("200,000", "2,000,000")]


def test_the_plot_is_svg_with_a_dot_for_each_figure() -> None:
    tree = ET.fromstring(plot(FOUND))  # noqa: S314  our own text
    dots = [dot for dot in tree.iter("{http://www.w3.org/2000/svg}circle") if dot.get("r") == "3"]
    # Two of Scoreline, two of Dask, one of pandas, in each panel; none of who failed or was ended.
    assert len(dots) == 2 * 5


def test_every_workload_has_a_title() -> None:
    assert list(TITLES) == list(WORKLOADS)


def test_content_is_put_between_its_markers_and_nowhere_else(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("before\n<!-- x -->\nold\n<!-- end of x -->\nafter\n")
    put(file, "x", "new")
    assert file.read_text() == "before\n<!-- x -->\nnew\n<!-- end of x -->\nafter\n"
    with pytest.raises(ValueError, match="has no <!-- y -->"):
        put(file, "y", "new")
