import pytest

from scoreline.cli.options import cluster_override
from scoreline.config.overrides import parse_override
from scoreline.errors import UsageError


@pytest.mark.parametrize(
    ("address", "section"),
    [
        ("inline", {"kind": "inline"}),
        ("local", {"kind": "local"}),
        ("tcp://10.0.0.5:8786", {"kind": "scheduler", "address": "tcp://10.0.0.5:8786"}),
        ("tls://host:8786", {"kind": "scheduler", "address": "tls://host:8786"}),
    ],
)
def test_an_address_is_a_cluster_section(address: str, section: dict[str, str]) -> None:
    (override,) = map(parse_override, cluster_override(address))
    assert (override.path, override.value) == (("cluster",), section)


def test_no_address_changes_nothing() -> None:
    assert cluster_override(None) == []


@pytest.mark.parametrize("address", ["localhost:8786", "http://host:8786", ""])
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(UsageError, match="is no cluster"):
        cluster_override(address)
