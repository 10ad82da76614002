"""list, status and why: what is told of sweeps, alive and dead."""

import fcntl
import json
import time
from pathlib import Path

import pytest

from jack_ray.contract.failure import Failure, write_failure
from jack_ray.sweeps.__main__ import main
from jack_ray.sweeps.standing import SILENT_S, read_standing
from tests.commands.conftest import Typed
from tests.commands.shelf import RATES, Made, make, trial_with


def test_the_list_has_all_sweeps_newest_first(made: Made, typed: Typed) -> None:
    make(made.runs, "tpe-2222222222", began=2000.0)
    code, out, _ = typed("list")
    assert code == 0
    assert out.index("tpe-2222222222") < out.index("grid-1111111111")
    row = next(line for line in out.splitlines() if "grid-1111111111" in line)
    assert row.split()[4:9] == ["finished", "3/3", "val", "score", "2"]
    assert row.split()[9] == "3.00"  # 3 trials of 2 GPUs for half an hour


def test_the_list_is_json_for_programs(typed: Typed) -> None:
    (sweep,) = json.loads(typed("list", "--json")[1])
    assert (sweep["state"], sweep["done"], sweep["best"], sweep["gpu_hours"]) == ("finished", 3, 2.0, 3.0)


def test_an_empty_folder_has_no_sweeps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--runs", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"No sweep in {tmp_path / 'sweeps'}.\n"


def test_the_table_says_everything_of_a_running_trial(made: Made, typed: Typed) -> None:
    made.change_trial(
        1, status="running", phase="training", step=7, epoch=0.5, latest={"val/score": 0.25}, best=0.3,
        left_s=3661.0, nodes=("alpha", "beta"), memory_mb=2345.0,
    )  # fmt: skip
    with made.driven():
        out = typed("status")[1]
    row = next(line for line in out.splitlines() if "train.lr=0.01 " in line)
    for cell in ("training", "7/20", "0.5", "0.25", "0.3", "1:01:01", "alpha +1", "2.3 GB"):
        assert cell in row
    assert "2 of 3 trials done" in out


def test_the_status_is_json_for_programs(typed: Typed) -> None:
    shown = json.loads(typed("status", "grid", "--json")[1])
    assert [trial["gpu_hours"] for trial in shown["trials"]] == [1.0, 1.0, 1.0]


def test_a_driver_that_told_running_and_holds_no_lock_has_died(made: Made, typed: Typed) -> None:
    made.change(state="running", changed=time.time() - 10)
    assert made.standing.state == "died"
    out = typed("status")[1]
    assert "is gone, last heard of 10 s ago" in out
    assert "python -m jack_ray.launch model=toy sweep=lr" in out


def test_a_driver_that_is_silent_and_holds_its_lock_is_alive(made: Made) -> None:
    made.change(state="running", changed=time.time() - 1000)
    with made.folder.lock.open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert made.standing.is_alive
    assert not made.standing.is_alive


def test_a_driver_on_another_machine_is_judged_by_its_silence(made: Made) -> None:
    made.change(state="running", driver_host="elsewhere", changed=time.time() - SILENT_S / 2)
    assert made.standing.is_alive
    made.change(changed=time.time() - SILENT_S - 1)
    assert made.standing.state == "died"


def test_a_damaged_status_is_a_sweep_that_has_told_nothing(made: Made, typed: Typed) -> None:
    made.folder.status.write_text("{")
    assert read_standing(made.folder).trials == ()
    assert "told nothing yet" in typed("status")[1]


def test_what_is_typed_again_neither_begins_anew_nor_adds_trials(made: Made) -> None:
    made.change(typed=("model=toy", "fresh=true", "more=20", "train.lr=1,2"))
    assert made.standing.again.endswith("python -m jack_ray.launch model=toy train.lr=1,2")


def test_the_time_left_counts_the_trials_that_wait(made: Made) -> None:
    made.change(total=5)
    made.change_trial(2, status="running", phase="training", seconds=60.0, left_s=40.0)
    for number in (0, 1):
        made.change_trial(number, seconds=100.0)
    with made.driven():
        assert made.standing.left_s == 40.0 + 2 * 100.0


def test_why_says_the_failure_its_traceback_the_log_and_where_it_is(made: Made, typed: Typed) -> None:
    made.change_trial(0, status="failed", failures={"crash": 2}, message="rank 1 raised ValueError: x (error, rank 1)")
    folder = made.trial(0)
    first = Failure("error", "ValueError: x", 1, "alpha", time.time() - 5, "Traceback ...\nValueError: the cause\n")
    write_failure(folder.failure(1), first)
    write_failure(folder.failure(0), Failure("crash", "lost", 0, "alpha", time.time(), "echo"))
    code, out, _ = typed("why")
    assert code == 0
    for words in ("rank 1 raised ValueError: x", "Attempts that failed: 2 crash", "ValueError: the cause",
                  f"Last lines of rank 1 ({folder.log(1)})", "rank 1 begins", str(folder.path)):  # fmt: skip
        assert words in out
    assert "echo" not in out


def test_why_says_what_a_trial_waits_for(made: Made, typed: Typed) -> None:
    made.change_trial(0, status="waiting", phase="waiting for 2 cores: the largest free place is 0 cores on alpha")
    with made.driven():
        out = typed("why", trial_with(RATES[0]).id)[1]
    assert "waiting for 2 cores: the largest free place is 0 cores on alpha; it needs 2 cores on one machine" in out


def test_why_says_that_nobody_works_on_a_dead_sweep(made: Made, typed: Typed) -> None:
    made.change_trial(0, status="running", phase="training")
    made.change(state="running", changed=time.time() - 100)
    out = typed("why")[1]
    assert "has lost its driver" in out
    assert "Nobody works on it: python -m jack_ray.sweeps resume grid-1111111111" in out


def test_why_of_a_finished_sweep_is_one_line(typed: Typed) -> None:
    assert typed("why")[1] == "grid-1111111111 (toy grid train.lr) has finished, 3 of 3 trials done.\n"


def test_mistakes_are_one_line_and_code_2(typed: Typed) -> None:
    code, out, err = typed("status", "nothing")
    assert (code, out) == (2, "")
    assert err == "error: nothing is called nothing; there are grid-1111111111\n"


def test_watching_without_a_terminal_ends_with_the_table(typed: Typed) -> None:
    assert "toy grid train.lr (grid-1111111111): finished" in typed("status", "--watch")[1]
