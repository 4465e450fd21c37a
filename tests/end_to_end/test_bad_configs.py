"""Configs, options, own modules and places that cannot be: the answer names them, and nothing is changed."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.end_to_end.spoiling import CANARY, JOB, Case, check_answer, scoreline_here, spoil, working_job

pytestmark = [pytest.mark.end_to_end, pytest.mark.filterwarnings("default")]

TEXT = json.dumps(JOB, indent=1)
NEEDED = ("run", "job.json")
WITH_STEPS = (*NEEDED, "--module", "my_steps.py")
BOOM = {"clean": [{"kind": "boom"}]}
STEP = """
from typing import Literal
from scoreline.cleaners.base import Step
class Boom(Step):
    kind: Literal["boom"] = "boom"
    def output_schema(self, schema):
        return schema
    def apply(self, part):
        raise ValueError(part)
"""
WHOLE_STEP = (
    STEP
    + """
    def needs(self, wanted, schema):
        return wanted
    def narrowed(self, wanted, schema):
        return self
"""
)


def setting(value: str) -> tuple[str, ...]:
    return (*NEEDED, "--set", value)


def steps(text: str) -> dict[str, str]:
    return {"my_steps.py": text}


def damaged(pattern: str, content: str) -> Callable[[Path], None]:
    """Write something else into the files of a pattern, all of them ours."""

    def damage(folder: Path) -> None:
        found = list(folder.glob(pattern))
        assert found
        for path in found:
            path.write_text(content)

    return damage


# fmt: off
CONFIGS = [
    Case("two commas", 2, "a key in double quotes should stand here", "job.json:1:15", "double quotes",
         config=b'{"version": 1,,}'),
    Case("no text", 2, "the file is empty", "job.json:1:1", "JSON object", config=b""),
    Case("UTF-16", 2, "not UTF-8", "job.json:1", "UTF-8", config=TEXT.encode("utf-16")),
    Case("Latin-1", 2, "not UTF-8", "job.json:3", "UTF-8",
         config=TEXT.replace('"name": "job"', '"name": "jôb"').encode("latin-1")),
    Case("a key twice", 2, '"version" stands here twice', "job.json:2:16 ($.version)", "keep one",
         config=TEXT.replace('"version": 1,', '"version": 1, "version": 1,').encode()),
    Case("half a character", 2, "surrogate", "job.json:3", "UTF-8",
         config=TEXT.replace('"name": "job"', '"name": "j\\ud800"').encode()),
    Case("five thousand brackets", 2, "more than 32 levels", "job.json:1:34", "stray bracket", config=b"[" * 5000),
    Case("unknown keys", 2, 'unknown key "modle"', "($.train.modle)", '"model"', {"train.modle": 1, "artefacts": "x"}),
    Case("a number as target", 2, '"target" must be text', "($.target)", '"5"', {"target": 5}),
    Case("a folder as config", 2, "is a directory", "data", "JSON file", command=("run", "data")),
    Case("no config", 2, "no such config", "jib.json", "job.json", command=("run", "jib.json")),
    Case("a typo after --set", 2, 'unknown key "prams"', "--set train.model.prams.C=1", '"params"',
         command=setting("train.model.prams.C=1")),
    Case("no value after --set", 2, "not an override", "--set train.seed", "--set a.b=value",
         command=setting("train.seed")),
    Case("a secret in a location", 2, "holds credentials", "s3://***@bucket/data", "AWS_* variables",
         command=setting(f"source.uri=s3://me:{CANARY}@bucket/data")),
    Case("a secret under a key", 2, "looks like a secret", "aws_secret_access_key=***", "AWS_* variables",
         command=setting(f"source.aws_secret_access_key={CANARY}")),
    Case("no thread", 2, "at least 1", "--set train.threads=0", "Threads", command=setting("train.threads=0")),
    Case("a step that is not there", 2, "no item '9'", "--set features[9]", "0 to 3",
         command=setting('features[9].columns=["a"]')),
    Case("a cluster that is none", 2, "'localhost' is no cluster", "--cluster localhost", "tcp://",
         command=(*NEEDED, "--cluster", "localhost")),
    Case("no location", 2, "at least 1 characters", "($.source.uri)", "glob", {"source.uri": ""}),
    Case("a codec that is no encoding", 2, "no such encoding", "($.source.encoding)", "utf-8",
         {"source.encoding": "hex"}),
    Case("limits that cross, of no type", 2, "min 5 is above max 1", "($.contract.columns.amount.min)", "exchange",
         {"contract.columns.amount": {"min": 5, "max": 1}}),
    Case("limits that cross", 2, "min 5 is above max 1", "($.contract.columns.amount.min)", "exchange them",
         {"contract": {"columns": {"amount": {"type": "float64", "min": 5, "max": 1}}}}),
    Case("a gate on what is not evaluated", 2, "log_loss, which is not evaluated", "($.evaluate.gate[0].metric)",
         "evaluate.metrics", {"evaluate.gate": [{"metric": "log_loss", "max": 1}]}),
    Case("slices of a column that is not there", 2, "no column 'town'", "($.evaluate.slices[0])", "id, amount, city",
         {"evaluate.slices": ["town"]}),
    Case("groups of a column that is not there", 2, "no column 'citty'", "($.train.split.column)", "'city'",
         {"train.split": {"kind": "group", "column": "citty"}}),
    Case("a time split by text", 2, "'city' is string, and a split by time needs dates", "($.train.split.column)",
         "parse_dates", {"train.split": {"kind": "time", "column": "city", "test_fraction": 0.2}}),
    Case("a time split at no day", 2, "2026-01-31", "($.train.split.at)", "First day",
         {"train.split": {"kind": "time", "column": "day", "at": "soon"}}),
    Case("probabilities of amounts", 2, "a regression has no probabilities", "($.predict.proba)", '"proba": false',
         {"predict.proba": True, "train.model": {"kind": "ridge"}, "target": "amount",
          "features": [{"kind": "one_hot", "columns": ["city"]}]}),
    Case("probabilities that a model has not", 2, '"linear_svm" gives no probabilities', "($.predict.proba)",
         "logistic_regression", {"predict.proba": True, "train.model": {"kind": "linear_svm"}}),
    Case("a metric of probabilities", 2, '"linear_svm" gives no probabilities', "($.evaluate.metrics[1])",
         'leave "log_loss"', {"evaluate.metrics": ["accuracy", "log_loss"], "train.model": {"kind": "linear_svm"}}),
    Case("a search by probabilities", 2, "which linear_svm does not give", "($.train.search.metric)", "another metric",
         {"train.search": {"kind": "grid", "params": {"C": [1]}, "metric": "log_loss"},
          "train.model": {"kind": "linear_svm"}}),
    Case("strata of amounts", 2, "no classes", "($.train.sample.strategy)", '"random"',
         {"train.sample.strategy": "stratified", "train.model": {"kind": "ridge"}, "target": "amount",
          "features": [{"kind": "one_hot", "columns": ["city"]}]}),
    Case("a home folder", 2, "no home folder", "($.source.uri)", "in full", {"source.uri": "~/data/*.csv"}),
    Case("a NUL in a location", 2, "NUL", "($.predict.sink.uri)", "remove it", {"predict.sink.uri": "a\0b"}),
    Case("a whole bucket for predictions", 2, "inside the bucket", "($.predict.sink.uri)", "s3://bucket/predictions",
         {"predict.sink.uri": "s3://bucket"}),
    Case("artifacts among the predictions", 2, "inside the predictions", "($.artifacts)", "of its own",
         {"predict.sink.uri": "new", "artifacts": "new.store"}),
    Case("a name that is too long", 5, "the name is too long", "ppp", "shorter", {"predict.sink.uri": "p" * 300}),
    Case("a parameter out of range", 2, "'C' parameter", "($.train.model.params.C)", "values named",
         {"train.model.params": {"C": -1}}),
    Case("a search for a word", 2, "'C' parameter", "($.train.search.params.C)", "values named",
         {"train.search": {"kind": "grid", "params": {"C": ["x"]}}}),
    Case("a column to keep that is not there", 2, "'idd'", "($.predict.keep)", "id, amount",
         {"predict.keep": ["idd"], "train.seed": 5}),
    Case("a column to keep that is named twice", 2, "names 'id' twice", "($.predict.keep)", "name it once",
         {"predict.keep": ["id", "amount", "id"], "train.seed": 5}),
    Case("a step on a column that is not there", 2, "no column 'amout'", "job.json:12:3 ($.clean[1])", "'amount'",
         {"clean.1": {"kind": "derive", "columns": {"x": "log(amout)"}}}),
    Case("two columns of one name", 2, "two columns would be named 'city'", "($.clean[1])", "another name",
         {"clean.1": {"kind": "rename", "columns": {"amount": "city"}}}),
    Case("an expression that never ends", 2, "never closed", "($.clean[1].columns)", "Expression",
         {"clean.1": {"kind": "derive", "columns": {"x": "log(amount"}}}),
]

MODULES = [
    Case("no module", 2, "no such file", "--module nope.py", "path", command=(*NEEDED, "--module", "nope.py")),
    Case("a module with a fault of syntax", 2, "SyntaxError", "/my_steps.py", "python -c", files=steps("def f(:\n"),
         command=WITH_STEPS),
    Case("a module that fails", 2, "ZeroDivisionError", "/my_steps.py", "python -c", files=steps("1/0\n"),
         command=WITH_STEPS),
    Case("a module that exits", 2, "SystemExit", "/my_steps.py", "python -c", files=steps("import sys; sys.exit(0)\n"),
         command=WITH_STEPS),
    Case("a module of a taken name", 2, "'json' is the name of another module", "/json.py", "my_steps.py",
         files={"json.py": "x = 1\n"}, command=(*NEEDED, "--module", "json.py")),
    Case("a kind that ships", 2, '"trim_strings" is a kind that ships', "my_steps.Boom", "another name",
         files=steps(WHOLE_STEP.replace('"boom"', '"trim_strings"')), command=WITH_STEPS),
    Case("a step that fails", 2, "apply of an own module raised ValueError", "/my_steps.py:9", "--debug", BOOM,
         steps(WHOLE_STEP), command=WITH_STEPS),
    Case("half a step", 2, "does not define the method 'narrowed'", "/my_steps.py", "cleaners/base.py", BOOM,
         steps(STEP), command=WITH_STEPS),
]

PLACES = [
    Case("output inside the input", 2, "overlaps the input", "($.predict.sink.uri)", "somewhere else",
         {"source.uri": "data", "predict.sink.uri": "data/predictions"}),
    Case("artifacts inside the input", 2, "overlaps the input", "($.artifacts)", "somewhere else",
         {"source.uri": "data", "artifacts": "data/artifacts"}),
    Case("predictions below a file", 5, "in the way", "/a_file", "move the file", {"predict.sink.uri": "a_file/new"},
         {"a_file": "mine"}),
    Case("artifacts below a file", 5, "in the way", "/a_file", "move the file", {"artifacts": "a_file/new"},
         {"a_file": "mine"}),
    Case("a file as artifacts", 5, "in the way", "/a_file", "move the file", {"artifacts": "a_file"},
         {"a_file": "mine"}),
    Case("a file as store", 5, "in the way", "/new.store", "move the file", {"predict.sink.uri": "new"},
         {"new.store": "mine"}),
    Case("a folder of the user's as predictions", 5, "not published by scoreline", "/mine", "move it away",
         {"predict.sink.uri": "mine", "train.seed": 5}, {"mine/notes.txt": "mine"}),
    Case("a file of the user's as predictions", 5, "not published by scoreline", "/mine.parquet", "move it away",
         {"predict.sink.uri": "mine.parquet"}, {"mine.parquet": "mine"}),
    Case("a link of the user's as predictions", 5, "not published by scoreline", "/new", "move it away",
         {"predict.sink.uri": "new"}, {"mine/notes.txt": "mine"},
         spoil=lambda folder: (folder / "new").symlink_to("mine")),
    Case("evaluate before train", 2, "not been trained", "job.json", "scoreline train", {"train.seed": 5},
         command=("evaluate", "job.json")),
    Case("predict before train", 2, "not been trained", "job.json", "scoreline train", {"train.seed": 5},
         command=("predict", "job.json")),
    Case("a changed model", 4, "'pipeline.joblib' is missing or not what was written", "/pipeline.joblib", "restore",
         spoil=damaged("artifacts/models/*/pipeline.joblib", "changed")),
    Case("a changed cleaning", 4, "'cleaning.json'", "/cleaning.json", "restore",
         spoil=damaged("artifacts/models/*/cleaning.json", "[]")),
    Case("hashes of nothing", 4, "SHA256SUMS does not name pipeline.joblib", "/SHA256SUMS", "restore",
         spoil=damaged("artifacts/models/*/SHA256SUMS", "nothing")),
    Case("half a report", 5, "damaged", "/metrics.json", "restore",
         spoil=damaged("artifacts/models/*/metrics.json", "{")),
    Case("half a provenance", 5, "damaged", "/provenance.json", "restore",
         spoil=damaged("artifacts/models/*/provenance.json", "{")),
    Case("half a commit", 5, "damaged", "/commits/", "restore", spoil=damaged("predictions.store/commits/*", "{")),
    Case("half a manifest", 5, "damaged", "/manifests/", "restore",
         spoil=damaged("predictions.store/manifests/*", "{")),
]

# Nobody can write there, not even root.
ON_LINUX = [
    Case("a place where nobody can write", 5, "nothing can be created", "/proc", "another location",
         {"predict.sink.uri": "/proc/scoreline/predictions"}),
    Case("artifacts where nobody can write", 5, "nothing can be created", "/proc/scoreline", "another location",
         {"artifacts": "/proc/scoreline/artifacts"}),
]
# fmt: on


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("working") / "job"
    working_job(folder)
    return folder


@pytest.mark.parametrize(
    "case", [*CONFIGS, *MODULES, *PLACES, *(ON_LINUX if sys.platform == "linux" else [])], ids=lambda case: case.name
)
def test_what_cannot_be_is_named_and_nothing_is_changed(
    case: Case, working: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(case, working, tmp_path / "job", monkeypatch)
    check_answer(case)


def test_a_gate_that_refuses_keeps_model_and_metrics_and_predicts_nothing(
    working: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = {"evaluate.gate": [{"metric": "accuracy", "max": 0.1}], "train.seed": 5}
    refusing = Case("", 4, "accuracy is", "job.json:51:4 ($.evaluate.gate[0])", "are kept", gate)
    spoil(refusing, working, tmp_path / "job", monkeypatch)
    models = set(Path("artifacts/models").iterdir())
    check_answer(refusing)
    (made,) = set(Path("artifacts/models").iterdir()) - models
    assert {"pipeline.joblib", "pipeline.skops", "metrics.json", "SHA256SUMS"} <= {path.name for path in made.iterdir()}


def test_a_config_with_a_byte_order_mark_is_read(
    working: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(Case("", 0, "", "", "", config=b"\xef\xbb\xbf" + TEXT.encode()), working, tmp_path / "job", monkeypatch)
    assert scoreline_here("check", "job.json").code == 0
