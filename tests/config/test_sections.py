import pytest

from scoreline.config.positions import JsonPath
from scoreline.config.sections import field_at, section_at

CONFIG = {
    "clean": [{"kind": "trim_strings"}, {"kind": "nonsense"}],
    "contract": {"columns": {"a": {}}},
    "train": {"split": {"kind": "group"}, "sample": {}},
    "evaluate": {"metrics": ["accuracy"], "gate": [{}]},
    "predict": {"sink": {"kind": "parquet"}, "error_budget": {}},
}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ((), "JobConfig"),
        (("clean", 0), "TrimStrings"),
        (("contract", "columns", "a"), "ColumnConfig"),
        (("train", "split"), "GroupSplit"),
        (("evaluate", "gate", 0), "GateRule"),
        (("predict", "sink"), "Parquet"),
        (("predict", "error_budget"), "ErrorBudget"),
        (("clean", 1), None),
        (("clean",), None),
        (("nowhere", "x"), None),
    ],
)
def test_a_path_leads_to_the_class_of_the_object_there(path: JsonPath, name: str | None) -> None:
    found = section_at(path, CONFIG)
    assert (None if found is None else found.__name__) == name


def test_a_path_leads_to_the_description_of_its_field() -> None:
    found = field_at(("evaluate", "metrics", 0), CONFIG)
    assert found is not None
    assert found.description == "Names of metrics; null takes the usual ones of the task."
    assert field_at((), CONFIG) is None
