"""The protocol of publication, searched completely in small worlds: every order of steps, kills and lost answers.

What is checked is the order of steps and what each one reads and writes: `world` says what there is, `driving`,
`leading` and `collecting` what is done, `invariants` what must hold. Seeded mistakes prove that the search finds them.
"""

from __future__ import annotations

import pytest
from tests.protocol.mistakes import MISTAKES, Mistake
from tests.protocol.moves import Scenario
from tests.protocol.scenarios import LOCAL, S3, every
from tests.protocol.search import search


@pytest.mark.parametrize("scenario", [*every(LOCAL), *every(S3)], ids=lambda scenario: scenario.name)
def test_nothing_is_violated_in_any_world_that_can_be_reached(scenario: Scenario) -> None:
    found = search(scenario)
    print(f"{scenario.name}: {found.states:,} states, {found.steps:,} steps")  # noqa: T201  (the size of the proof)
    assert (found.violated, found.trace) == ("", ())


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_in_the_protocol_is_found(mistake: Mistake) -> None:
    found = search(mistake.built_in)
    assert found.violated == mistake.violates, "\n".join(found.trace)
