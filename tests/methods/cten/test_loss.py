from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from jack_ray.methods.cten.reference import CLASSES, MODEL
from jack_ray.methods.roles import OneByOne, whole_loss

pytestmark = pytest.mark.rank

GAMMA = np.array([[0, 1, 10, 9], [1, 1, 2, 1]], np.float32)
"""Thresholds 7 and 1.7: key segments 2, 3 and 2; context segments 0, 1 and 0, 1, 3."""


@dataclass
class Video:
    """Notes what it is asked for."""

    number: int
    asked: list[tuple[list[int], int]] = field(default_factory=list)

    def redraw(self, kept_segments: list[int], seed: int) -> NDArray[Any]:
        """Clips that are told apart by number and kept segments."""
        self.asked.append((list(kept_segments), seed))
        return np.full((4, 3, 1, 2, 2), 100 * self.number + sum(kept_segments), np.float32)


class Fixed:
    """A model whose logits tell the passes apart."""

    def __init__(self) -> None:
        self.passes: list[tuple[NDArray[Any], NDArray[Any]]] = []

    def training_outputs(self, batch: dict[str, Any], number: int) -> dict[str, Any]:
        """Logits of the pass, the same attention in each."""
        import jittor as jt

        self.passes.append((batch["visual"], batch["audio"]))
        logits = np.zeros((2, 8), np.float32)
        logits[:, 0] = number
        return {"logits": jt.array(logits), "gamma": jt.array(GAMMA)}


class Counting(OneByOne):
    """Workers that count."""

    def __init__(self) -> None:
        self.jobs: list[int] = []

    def begin(self, function: Any, items: Any) -> Any:
        """One after the other."""
        self.jobs.append(len(items))
        return super().begin(function, items)


def entropy(number: int) -> float:
    """Of class 0 where the logits are (number, 0, 0, 0, 0, 0, 0, 0)."""
    return float(np.log(np.exp(number) + 7) - number)


def given() -> dict[str, Any]:
    return {
        "visual": np.full((2, 4, 3, 1, 2, 2), -1, np.float32),
        "audio": np.zeros((2, 4, 2), np.float32),
        "label": np.zeros(2, np.int64),
        "classes": CLASSES,
        "seeds": np.array([5, 6]),
        "videos": [Video(1), Video(2)],
    }


def told(batch: dict[str, Any], workers: Any = None, **changes: Any) -> tuple[float, dict[str, float], Fixed]:
    from jack_ray.methods.cten.loss import Loss

    model = Fixed()
    loss, terms = whole_loss(Loss(replace(MODEL, **changes))(model, batch, workers or OneByOne()))
    return float(loss.numpy()[0]), {name: float(term.numpy()[0]) for name, term in terms.items()}, model


def test_the_papers_loss_is_the_sum_of_three_passes() -> None:
    total, terms, _ = told(given())
    expected = {"loss_original": entropy(0), "loss_context": entropy(1), "loss_key": entropy(2)}
    assert terms == pytest.approx(expected, rel=1e-5)
    assert total == pytest.approx(sum(expected.values()), rel=1e-5)


def test_a_third_of_it_is_jacks_loss_and_of_two_passes_the_authors() -> None:
    assert told(given(), erasing_scale="third")[0] == pytest.approx(sum(map(entropy, range(3))) / 3, rel=1e-5)
    two, terms, _ = told(given(), erasing="two_pass", erasing_scale="third")
    assert two == pytest.approx((entropy(0) + entropy(1)) / 3, rel=1e-5)
    assert set(terms) == {"loss_original", "loss_context"}


def test_without_erasing_no_clip_is_read_again() -> None:
    batch = given()
    total, terms, _ = told(batch, erasing="none", erasing_scale="third")
    assert total == pytest.approx(entropy(0), rel=1e-5)
    assert set(terms) == {"loss_original"}
    assert [video.asked for video in batch["videos"]] == [[], []]


def test_each_video_is_erased_by_its_own_threshold() -> None:
    batch = given()
    told(batch)
    assert [[kept for kept, _ in video.asked] for video in batch["videos"]] == [[[0, 1], [2, 3]], [[0, 1, 3], [2]]]


def test_the_passes_see_the_new_clips_and_the_batch_stays_as_it_is() -> None:
    # The port writes erased clips over the batch, so that its third pass starts from its second one's.
    batch = given()
    _, _, model = told(batch)
    assert [visual[:, 0, 0, 0, 0, 0].tolist() for visual, _ in model.passes] == [[-1, -1], [101, 204], [105, 202]]
    assert all(sound is batch["audio"] for _, sound in model.passes)
    assert (batch["visual"] == -1).all()


def test_clips_are_read_by_the_workers() -> None:
    workers = Counting()
    told(given(), workers)
    assert workers.jobs == [2, 2]


def test_the_clips_of_all_passes_are_being_read_while_the_gradient_of_the_first_is_computed() -> None:
    from jack_ray.methods.cten.loss import Loss

    workers, model = Counting(), Fixed()
    parts = Loss(MODEL)(model, given(), workers)
    assert list(next(parts)[1]) == ["loss_original"]
    assert workers.jobs == [2, 2]
    assert len(model.passes) == 1
    assert [list(terms) for _, terms in parts] == [["loss_context"], ["loss_key"]]


def test_a_part_that_was_given_away_leaves_nothing_of_its_pass() -> None:
    import weakref

    from jack_ray.methods.cten.loss import Loss

    class Noting(Fixed):
        def training_outputs(self, batch: dict[str, Any], number: int) -> dict[str, Any]:
            made = Outputs(super().training_outputs(batch, number))
            given_out.append(weakref.ref(made))
            return made

    class Outputs(dict[str, Any]):
        """A dict that can be watched."""

    given_out: list[weakref.ref[Outputs]] = []
    for number, _ in enumerate(Loss(MODEL)(Noting(), given(), OneByOne())):
        assert [made() for made in given_out] == [None] * (number + 1)


def test_seeds_differ_by_pass_and_sample_and_do_not_depend_on_the_rest_of_the_batch() -> None:
    batch = given()
    told(batch)
    seeds = [seed for video in batch["videos"] for _, seed in video.asked]
    assert len(set(seeds)) == 4
    again = given()
    told(again)
    assert [video.asked for video in again["videos"]] == [video.asked for video in batch["videos"]]


def test_polarities_count_where_they_are_asked_for() -> None:
    # Taken for Anger, which it is not: Joy is of the other polarity.
    batch = {**given(), "label": np.array([4, 4])}
    plain, penalised = told(batch, erasing="none")[0], told(batch, erasing="none", loss="pcce")[0]
    assert penalised == pytest.approx(1.5 * plain, rel=1e-5)
