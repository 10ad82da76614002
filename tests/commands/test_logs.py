"""Logs: each line with its trial and rank, and lines that come."""

import threading
from pathlib import Path

from jack_ray.sweeps.logs import Stream, Tail
from tests.commands.conftest import Typed
from tests.commands.shelf import RATES, Made, trial_with

FIRST = trial_with(RATES[0]).id


def test_every_line_has_its_trial_and_rank_in_front(typed: Typed) -> None:
    lines = typed("logs", FIRST)[1].splitlines()
    assert lines == [f"{FIRST} rank {rank} | {text}" for rank in (0, 1) for text in (f"rank {rank} begins", "lr 0.001")]
    assert len(typed("logs")[1].splitlines()) == 3 * 4


def test_one_rank_of_one_trial_and_only_the_last_lines(typed: Typed) -> None:
    assert typed("logs", "grid", "-t", FIRST, "-r", "1", "-n", "1")[1] == f"{FIRST} rank 1 | lr 0.001\n"
    code, _, err = typed("logs", "grid", "--rank", "7")
    assert (code, err) == (2, "error: no trial of grid-1111111111 has a log of rank 7\n")


def test_silence_is_told_beside_the_output(made: Made, typed: Typed) -> None:
    for rank in (0, 1):
        made.trial(0).log(rank).write_text("")
    assert typed("logs", FIRST) == (0, "", "No rank has printed anything.\n")


def test_mpiruns_words_come_last(made: Made, typed: Typed) -> None:
    made.trial(0).launcher_log.write_text("mpirun was here\n")
    assert typed("logs", FIRST)[1].splitlines()[-1] == f"{FIRST} mpirun | mpirun was here"


def test_following_shows_new_lines_new_ranks_and_ends_with_the_sweep(made: Made) -> None:
    lines: list[str] = []
    stream = Stream(made.folder, FIRST)
    with made.driven():
        thread = threading.Thread(target=lambda: lines.extend(stream.follow()))
        thread.start()
        with made.trial(0).log(0).open("a") as log:
            log.write("attempt 2\n")
        made.trial(0).log(2).write_text("late\nno end")
    made.change(state="finished")
    thread.join(timeout=10)
    assert not thread.is_alive()
    for line in (f"{FIRST} rank 0 | attempt 2", f"{FIRST} rank 2 | late", f"{FIRST} rank 2 | no end"):
        assert lines.count(line) == 1


def test_a_line_that_is_not_whole_waits_for_its_end(tmp_path: Path) -> None:
    log = tmp_path / "00.log"
    log.write_bytes(b"one\ntw")
    tail = Tail(log)
    assert tail.read() == ["one"]
    with log.open("ab") as opened:
        opened.write(b"o\n")
    assert tail.read() == ["two"]


def test_a_log_that_was_made_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "00.log"
    log.write_text("a long first attempt\n")
    tail = Tail(log)
    tail.read()
    log.write_text("anew\n")
    assert tail.read() == ["anew"]


def test_of_a_line_that_was_written_over_itself_the_last_is_shown(tmp_path: Path) -> None:
    log = tmp_path / "00.log"
    log.write_bytes(b"10 %\r 20 %\r100 %\n\n")
    assert Tail(log).read() == ["100 %"]
