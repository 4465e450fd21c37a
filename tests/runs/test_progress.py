import io

import pytest

from scoreline.runs.progress import LiveDisplay, Pace, PlainDisplay, spoken


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def paces(*reports: tuple[int, float], total: int = 1000, first: int = 0) -> Pace:
    pace = Pace("predict", total, first, first, 0.0, 0.0)
    for done, now in reports:
        pace = pace.at(done, now)
    return pace


def test_the_rate_counts_from_the_first_report_so_that_a_resumed_run_is_not_fast() -> None:
    assert paces((950, 10.0), first=900).rate == 5.0


def test_nothing_is_said_of_time_left_before_enough_was_done() -> None:
    assert paces((100, 1.0), (200, 2.0), (300, 3.0)).seconds_left is None
    assert paces((100, 30.0)).seconds_left is None
    assert paces((100, 2.0), (200, 4.0), (250, 6.0)).seconds_left == pytest.approx(18)


def test_a_report_without_new_rows_is_no_step() -> None:
    assert paces((100, 2.0), (100, 4.0), (100, 9.0)).steps == 1


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "1 s"), (59.0, "59 s"), (61, "1 min"), (3600, "1 h 0 min")])
def test_times_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert spoken(seconds) == said


def test_a_stage_without_rows_is_finished_and_has_no_rate() -> None:
    assert str(paces(total=0)) == "0 of 0 rows"


def test_plain_lines_are_the_first_the_last_and_one_in_ten_seconds() -> None:
    told: list[int] = []
    display = PlainDisplay(io.StringIO(), lambda pace: told.append(pace.done))
    pace = paces()
    for done in range(0, 1001, 50):
        pace = pace.at(done, done / 50)
        display.show(pace)
    assert told == [50, 550, 1000]


def test_of_a_stage_that_is_over_at_once_nothing_is_told() -> None:
    told: list[int] = []
    display = PlainDisplay(io.StringIO(), lambda pace: told.append(pace.done))
    for pace in (paces((500, 0.3)), paces((500, 0.3), (1000, 0.6))):
        display.show(pace)
    assert told == []


def test_a_stage_that_comes_again_is_told_again() -> None:
    told: list[int] = []
    display = PlainDisplay(io.StringIO(), lambda pace: told.append(pace.done))
    for start in (0.0, 0.5):
        display.show(Pace("clean", 100, 0, 0, start, start).at(40, start + 2))
    assert told == [40, 40]


def test_a_terminal_shows_rows_and_rate_on_a_line_that_is_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    display = LiveDisplay(terminal)
    display.show(paces((500, 10.0)))
    display.line("something happened")
    display.show(paces((1000, 20.0)))
    display.line("something else")
    display.close()
    shown = terminal.getvalue()
    assert shown.endswith("something else\n")
    assert "predict 50 %: 500 of 1,000 rows, 50 rows/s" in shown
    assert "something happened\n" in shown
    assert "\x1b[2K" in shown
