"""Progress of long work on a terminal and in a log."""

from __future__ import annotations

import io
import sys

import pytest

from spin_tf._progress import ProgressBar


class Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when the test says so."""
    now = [100.0]
    monkeypatch.setattr("spin_tf._progress.time.monotonic", lambda: now[0])
    return now


def test_a_log_gets_a_line_a_minute(capsys, clock):
    with ProgressBar(10_000, "words", "converting", initial=1000) as bar:
        for second in range(1, 151):
            clock[0] = 100.0 + second
            bar.move_to(1000 + 20 * second, "all well")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "converting: 2,200 of 10,000 words, 20 a second, 06:30 left, all well",
        "converting: 3,400 of 10,000 words, 20 a second, 05:30 left, all well",
        "converting: 4,000 of 10,000 words, 20 a second, 05:00 left, all well",
    ]


def test_short_work_leaves_no_line(capsys, clock):
    with ProgressBar(3, "words") as bar:
        clock[0] += 59.0
        bar.move_to(3)
    assert capsys.readouterr() == ("", "")


def test_a_slow_rate_has_decimals_and_an_unknown_end_no_time_left(capsys, clock):
    with ProgressBar(None, "steps") as bar:
        clock[0] += 60.0
        bar.move_to(15)
    assert capsys.readouterr().err.splitlines()[0] == "15 steps, 0.25 a second"


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with ProgressBar(4, "steps", "training") as bar:
        bar.move_to(4, "loss 0.5")
        bar.say("step 4: 0.5")
    assert "training: 100%" in terminal.getvalue()
    assert "4/4" in terminal.getvalue()
    assert "loss 0.5" in terminal.getvalue()
    assert capsys.readouterr().out == "step 4: 0.5\n"


def test_nothing_is_shown_where_nobody_asked(capsys, clock):
    with ProgressBar(4, "steps", enabled=False) as bar:
        clock[0] += 61.0
        bar.move_to(2)
        bar.say("step 2")
    assert capsys.readouterr() == ("step 2\n", "")


def test_a_closed_stderr_does_not_end_the_work(monkeypatch, clock):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    with ProgressBar(4, "steps") as bar:
        clock[0] += 61.0
        bar.move_to(2)
