"""Pictures of a sweep on their way to the store: drawn now and then, by a process that may fail."""

import subprocess
import sys
from pathlib import Path

import pytest

from jack_ray.contract.drawn import Drawn, load_drawn, save_drawn
from jack_ray.contract.files import write_json
from jack_ray.upload import painter as module
from jack_ray.upload.painter import Painter
from jack_ray.upload.protocol import Close, Told, TrialEnded
from jack_ray.upload.store import UnreachableError
from jack_ray.upload.sweep import SweepDelivery
from tests.upload.conftest import MemoryStore, Scene


class FakePainter(Painter):
    """Draws at once, and remembers what it was asked for."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene.folder)
        self.scene = scene
        self.asked: list[list[str]] = []
        self.now = 0.0
        self.last = float("-inf")

    @property
    def is_due(self) -> bool:
        return self.now - self.last >= 30.0

    def begin(self, trials: object, processes: int = 1) -> None:
        assert isinstance(trials, list)
        self.asked.append(trials)
        self.last = self.now
        for trial in trials:
            self.scene.at(trial).artifacts.mkdir(parents=True, exist_ok=True)
            self.scene.at(trial).learning_curves.write_bytes(b"picture")
        self.folder.overview.mkdir(parents=True, exist_ok=True)
        (self.folder.overview / "overview.png").write_bytes(b"picture")

    def take(self, wait_s: float = 0.0) -> Drawn | None:
        if not self.asked:
            return None
        return Drawn(("overview.png",), {name: self.scene.at(name).events.stat().st_size for name in self.asked[-1]})

    def draw(self, trials: object) -> Drawn | None:
        self.begin(trials)
        return self.take()


def deliver(scene: Scene, store: MemoryStore, told: Told) -> tuple[SweepDelivery, FakePainter]:
    painter = FakePainter(scene)
    return SweepDelivery(store, scene.folder, scene.sweep(), told, {}, painter), painter


def told_of(scene: Scene, *trials: str) -> Told:
    told = Told()
    told.take(scene.sweep())
    for name in trials:
        told.take(scene.trial(name))
        scene.begin(name)
        scene.metrics(range(3), name)
    return told


def files(store: MemoryStore, kind: str) -> list[str]:
    return [file for run in store.runs.values() if kind in run.tags for file in run.files]


def test_the_sweep_is_drawn_when_a_trial_ends_and_when_it_closes_itself(scene: Scene, store: MemoryStore) -> None:
    told = told_of(scene, "a", "b")
    delivery, painter = deliver(scene, store, told)
    delivery.deliver()
    assert painter.asked == []
    told.take(TrialEnded("a", "finished"))
    delivery.deliver()
    delivery.deliver()
    assert painter.asked == [["a"]]
    told.take(TrialEnded("b", "finished"))
    told.take(Close("finished"))
    delivery.deliver()
    assert painter.asked == [["a"], ["b"]]
    assert files(store, "jack_ray.kind").count("overview.png") >= 2
    assert files(store, "jack_ray.trial").count("learning_curves.png") >= 2


def test_trials_that_end_together_are_drawn_together(scene: Scene, store: MemoryStore) -> None:
    told = told_of(scene, "a", "b", "c")
    delivery, painter = deliver(scene, store, told)
    for now, name in ((0.0, "a"), (10.0, "b"), (20.0, "c")):
        painter.now = now
        told.take(TrialEnded(name, "finished"))
        delivery.deliver()
    assert painter.asked == [["a"]]
    painter.now = 31.0
    delivery.deliver()
    assert painter.asked == [["a"], ["b", "c"]]


def test_a_trial_that_was_drawn_before_is_not_drawn_again(scene: Scene, store: MemoryStore) -> None:
    told = told_of(scene, "a")
    told.take(TrialEnded("a", "finished"))
    told.take(Close("finished"))
    deliver(scene, store, told)[0].deliver()
    again, painter = deliver(scene, store, told)
    again.deliver()
    assert painter.asked == [[]]
    scene.metrics([3], "a")
    further, painter = deliver(scene, store, told)
    further.deliver()
    assert painter.asked == [["a"]]


def test_pictures_wait_for_a_store_that_is_away_and_are_not_drawn_twice(scene: Scene, store: MemoryStore) -> None:
    told = told_of(scene, "a")
    delivery, painter = deliver(scene, store, told)
    delivery.deliver()
    told.take(TrialEnded("a", "finished"))
    delivery.deliver()
    store.is_away = True
    told.take(Close("finished"))
    with pytest.raises(UnreachableError):
        delivery.deliver()
    store.is_away = False
    delivery.deliver()
    assert len(painter.asked) == 2
    assert "overview.png" in files(store, "jack_ray.kind")
    assert delivery.is_done


def test_nothing_is_drawn_of_a_sweep_whose_driver_has_told_nothing(scene: Scene) -> None:
    scene.sweep()
    painter = Painter(scene.folder)
    assert not painter.is_due
    assert painter.draw(["a"]) is None


@pytest.mark.parametrize("program", ["raise SystemExit(1)", "import time; time.sleep(60)"])
def test_a_drawing_that_fails_or_hangs_ends_without_a_picture(
    scene: Scene, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    popen = subprocess.Popen
    monkeypatch.setattr(module, "LONGEST_S", 0.3)
    monkeypatch.setattr(
        subprocess, "Popen", lambda command, **options: popen([sys.executable, "-c", program], **options)
    )
    scene.sweep()
    write_json(scene.folder.status, {})
    painter = Painter(scene.folder)
    assert painter.is_due
    assert painter.draw([]) is None
    assert not painter.is_due  # so soon after another


def test_what_was_drawn_is_read_back_and_damage_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "drawn.json"
    assert load_drawn(path) is None
    save_drawn(path, Drawn(("a.png",), {"tsl-1": 5}))
    assert load_drawn(path) == Drawn(("a.png",), {"tsl-1": 5})
    path.write_text('{"files": 3}')
    assert load_drawn(path) is None
