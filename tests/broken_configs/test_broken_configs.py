"""Each file here is a config with something wrong; the table says where that is and what a user is told to do."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from scoreline.cli.app import app

HERE = Path(__file__).parent

EXPECTED = {
    "cannot_learn_in_parts": [("20:5 ($.train.fit)", "cannot learn incrementally", '"fit": "sample"')],
    "comment": [("15:3 ($)", "no comments", "remove the comment")],
    "credentials_in_location": [("4:33 ($.source.uri)", "credentials", "AWS_* variables")],
    "duplicate_key": [("23:3 ($.target)", '"target" stands here twice', "the first is at line 15")],
    "gate_without_metric": [("21:51 ($.evaluate.gate[0].metric)", "not evaluated", 'add "accuracy" to the metrics')],
    "input_inside_output": [("22:43 ($.predict.sink.uri)", "overlaps the input", "(source.uri)")],
    "limit_of_another_type": [("5:58 ($.contract.columns.amount.min)", '"cheap" is no value', "a number")],
    "list_as_text": [("8:29 ($.clean[1].columns)", "must be a list", 'write ["day"]')],
    "many_at_once": [
        ("1:1 ($.target)", "needs a target", 'add "target"'),
        ("2:3 ($.version)", "must be 1", "Version of the config's format"),
        ("3:3 ($.name)", '"name" must be text of the form', "letters, digits"),
        ("4:14 ($.source.kind)", 'unknown kind "csw"', '"csv"'),
        ("5:38 ($.clean[0].colums)", 'unknown key "colums"', '"columns"'),
        ("6:3 ($.features)", "needs features", "at least one transformer"),
        ("7:13 ($.train.seed)", "a whole number, not 4.5", "Seed of everything"),
        ("7:36 ($.train.model.kind)", 'unknown kind "randomforest"', '"random_forest"'),
        ("8:15 ($.predict.sink.uri)", '"uri" is missing', 'add "uri"'),
        ("8:44 ($.predict.mode)", 'must be "replace" or "append", not "upsert"', "use one of"),
        ("8:62 ($.predict.password)", '"password" looks like a secret', "AWS_* variables"),
        ("9:3 ($.artifacts)", "must be text, not a list", "Folder for runs"),
    ],
    "metric_of_another_task": [("21:40 ($.evaluate.metrics[1])", '"rmse" is for regression', "for classification")],
    "missing_comma": [("16:3 ($)", "a comma is missing", "put a comma here")],
    "missing_kind": [("7:5 ($.clean[0])", 'has no "kind"', '"trim_strings"')],
    "model_of_another_task": [
        ("20:5 ($.train.task)", '"logistic_regression" does no regression', '"classification"'),
        ("22:28 ($.evaluate.metrics[0])", '"accuracy" is for classification', "for regression"),
    ],
    "no_features": [("1:1 ($.features)", "needs features", 'add "features"')],
    "no_object": [("1:1 ($)", "must be an object, not a list", "scoreline config schema")],
    "no_target": [("1:1 ($.target)", "needs a target", 'add "target"')],
    "not_finite": [("21:80 ($.evaluate.gate[0].min)", "no NaN", "leave the key out")],
    "nothing_to_do": [("1:1 ($)", "neither trains nor predicts", '"train", "predict" or both')],
    "number_as_text": [("17:16 ($.train.sample.rows)", "a whole number", "1000 without quotes")],
    "out_of_range": [("18:33 ($.train.split.test_fraction)", "less than 1.0, not 20", "Share of rows held out")],
    "output_inside_input": [("22:43 ($.predict.sink.uri)", 'overlaps the input "data"', "somewhere else")],
    "parameter_out_of_range": [("19:51 ($.train.model.params.n_estimators)", "in the range [1, inf)", "values named")],
    "registry_model": [("14:13 ($.model.uri)", "not available yet", "location of a file")],
    "secret_key": [("4:60 ($.source.aws_secret_access_key)", "looks like a secret", "AWS_* variables")],
    "section_of_a_later_version": [("23:3 ($.drift)", "not available yet", "leave it out")],
    "single_quotes": [("3:3 ($)", "'name'", "double quotes")],
    "target_among_features": [("13:45 ($.features[1].columns[1])", '"group" is among the features', "remove it")],
    "trailing_comma": [("4:56 ($.source)", "a comma before the closing }", "remove the comma")],
    "train_and_model": [("23:3 ($.model)", "trains a model or is handed one", 'remove "train"')],
    "transformer_alone": [
        ("13:3 ($.predict)", "no model to predict with", 'add "train"'),
        ("14:3 ($.transformer)", "alone predicts nothing", 'add "model"'),
    ],
    "two_drop_duplicates": [("9:5 ($.clean[2])", "only one step", "keep one drop_duplicates")],
    "two_sample_sizes": [("17:5 ($.train.sample)", "exactly one of units, fraction, rows", "keys here")],
    "unknown_key": [("23:3 ($.artefacts)", 'unknown key "artefacts"', '"artifacts"')],
    "unknown_key_of_a_step": [("8:49 ($.clean[1].formats)", 'unknown key "formats"', '"format"')],
    "unknown_kind": [("13:6 ($.features[1].kind)", 'unknown kind "onehot"', '"one_hot"')],
    "unknown_parameter": [("19:51 ($.train.model.params.n_estimatrs)", "no parameter", "'n_estimators'")],
    "unknown_reason": [("22:95 ($.predict.error_budget.reasons.no_mach)", 'unknown key "no_mach"', '"no_match"')],
    "unknown_scheme": [("23:3 ($.artifacts)", "'gs://' are unknown", "s3://bucket/key")],
    "unknown_split": [("18:15 ($.train.split.kind)", 'unknown kind "shuffle"', '"random", "group", "time"')],
    "unknown_type": [("5:39 ($.contract.columns.amount.type)", 'no type "number"', '"float64"')],
}


def test_the_table_knows_every_file() -> None:
    assert sorted(EXPECTED) == sorted(path.stem for path in HERE.glob("*.json"))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_check_tells_every_fault_with_its_place_and_what_to_do(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)
    result = CliRunner().invoke(app, ["check", f"{name}.json"])
    told = result.stderr.splitlines()
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(told) == 3 * len(EXPECTED[name])
    for number, (where, what, advice) in enumerate(EXPECTED[name]):
        assert what in told[3 * number]
        assert told[3 * number + 1] == f"  where: {name}.json:{where}"
        assert advice in told[3 * number + 2]
    assert "hunter2" not in result.stderr
