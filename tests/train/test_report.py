import os
import time
from pathlib import Path

import pytest

from jack_ray.contract.events import read_from
from jack_ray.contract.paths import TrialFolder
from jack_ray.train import report as report_module
from jack_ray.train.report import Report


def test_a_new_rank_shows_that_it_lives(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path)
    Report(folder, 3, 1)
    assert time.time() - folder.beat(3).stat().st_mtime < 5.0


def test_a_beat_is_renewed_but_not_more_often_than_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    folder = TrialFolder(tmp_path)
    report = Report(folder, 0, 1)
    os.utime(folder.beat(0), (1.0, 1.0))
    clock[0] += report_module.BEAT_S / 2
    report.beat()
    assert folder.beat(0).stat().st_mtime == 1.0
    clock[0] += report_module.BEAT_S
    report.beat()
    assert time.time() - folder.beat(0).stat().st_mtime < 5.0


def test_only_the_first_rank_tells_events(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path)
    for rank in (1, 0):
        report = Report(folder, rank, 2)
        report.started(host="lab1")
        report.phase("training")
        report.metrics(1, {"train/total": 0.5})
        report.checkpoint(1, folder.checkpoints / "step-00000001", best=True, value=0.5)
        report.artifact(1, folder.artifacts / "test" / "a.png")
        report.note("weights were loaded")
        report.finished(1, {"best_step": 1.0})
    told, _ = read_from(folder.events, 0)
    assert [event.kind for event in told] == [
        "started", "phase", "metrics", "checkpoint", "artifact", "note", "finished"
    ]  # fmt: skip
    assert {event.attempt for event in told} == {2}
    assert told[3].about == {"path": "step-00000001", "best": True, "value": 0.5}
    assert told[4].about == {"path": "test/a.png"}


def test_of_very_many_notes_the_first_are_told_and_the_others_go_to_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = TrialFolder(tmp_path)
    report = Report(folder, 0, 1)
    for number in [*range(30), 3, 20]:
        report.note_once(f"left out: {number}")
    told, _ = read_from(folder.events, 0)
    texts = [event.about["text"] for event in told]
    assert texts == [*(f"left out: {number}" for number in range(10)), f"more like this are in {folder.log(0)}"]
    assert capsys.readouterr().out.splitlines() == [f"left out: {number}" for number in range(10, 30)]
