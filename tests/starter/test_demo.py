import json
from pathlib import Path

import pytest

from scoreline.config.loading import build_config
from scoreline.config.overrides import Origin
from scoreline.config.positions import Document
from scoreline.demo import Format
from scoreline.starter import config_text, demo_config

SHIPPED = Path(__file__).parents[2] / "configs" / "demo.json"


def test_the_demo_runs_the_config_that_ships() -> None:
    assert demo_config("demo") == json.loads(SHIPPED.read_text("utf-8"))


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_everything_the_demo_makes_goes_below_its_folder(form: Format) -> None:
    config = demo_config("some/where", form)
    job = build_config(config, Origin(Document("config.json", config)))
    assert job.predict is not None
    places = [job.source.uri, job.predict.sink.uri, job.artifacts, *job.clean[-3].references()]
    assert all(place.startswith("some/where/") for place in places)


def test_text_reads_back_as_the_config_and_no_line_is_long() -> None:
    config = {**demo_config("demo"), "empty": {}, "nothing": [], "text": "São Paulo"}
    text = config_text(config)
    assert json.loads(text) == config
    assert max(map(len, text.splitlines())) <= 121
    assert '  "text": "São Paulo"' in text
