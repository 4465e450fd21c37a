"""Every world that can be reached, breadth first, so that the first violation comes with a shortest trace."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from tests.protocol.invariants import ALL_END_WELL, INVARIANTS, everybody_ended_well
from tests.protocol.moves import Scenario, Taken, taken_from
from tests.protocol.world import World


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes
    ----------
    states, steps : worlds and steps that were looked at; all there are when nothing is violated
    violated : the name of the first invariant that does not hold, or ""
    trace : the steps that lead there
    """

    states: int
    steps: int
    violated: str = ""
    trace: tuple[str, ...] = ()


class _Search:
    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.parts = scenario.parts
        self.numbers = {scenario.start: 0}
        self.worlds = [scenario.start]
        self.came: list[tuple[int, int | None, str]] = [(0, None, "")]
        self.before: list[list[int]] = [[]]
        self.steps = 0

    def run(self) -> Found:
        waiting = deque([0])
        while waiting:
            number = waiting.popleft()
            for taken in taken_from(self.scenario, self.parts, self.worlds[number]):
                self.steps += 1
                if violated := self.violated(taken):
                    return self.found(violated, (*self.trace(number), self.told(taken.number, taken.said)))
                self.reach(number, taken, waiting)
        return self.hopeless()

    def violated(self, taken: Taken) -> str:
        return next((rule.__name__ for rule in INVARIANTS if not rule(self.scenario, taken)), "")

    def reach(self, number: int, taken: Taken, waiting: deque[int]) -> None:
        known = self.numbers.get(taken.after)
        if known is None:
            known = self.numbers[taken.after] = len(self.worlds)
            self.worlds.append(taken.after)
            self.came.append((number, taken.number, taken.said))
            self.before.append([])
            waiting.append(known)
        self.before[known].append(number)

    def hopeless(self) -> Found:
        """Search backwards from the worlds in which everybody ended well: the rest is without hope."""
        good = {number for number, world in enumerate(self.worlds) if everybody_ended_well(self.scenario, world)}
        waiting = list(good)
        while waiting:
            fresh = set(self.before[waiting.pop()]) - good
            good |= fresh
            waiting += fresh
        lost = next((number for number in range(len(self.worlds)) if number not in good), None)
        return self.found() if lost is None else self.found(ALL_END_WELL, self.trace(lost))

    def found(self, violated: str = "", trace: tuple[str, ...] = ()) -> Found:
        return Found(len(self.worlds), self.steps, violated, trace)

    def trace(self, number: int) -> tuple[str, ...]:
        steps: list[str] = []
        while number:
            number, who, said = self.came[number]
            steps.append(self.told(who, said))
        return tuple(reversed(steps))

    def told(self, who: int | None, said: str) -> str:
        if who is None:
            return said
        role = self.scenario.roles[who]
        return f"{role.kind} {role.run or role.through}".strip() + f" [{who}] {said}"


def search(scenario: Scenario) -> Found:
    """Look at every world that a scenario can lead to, or at all up to the first violation."""
    return _Search(scenario).run()


__all__ = ["Found", "World", "search"]
