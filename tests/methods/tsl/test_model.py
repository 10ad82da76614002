import ast
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jack_ray.contract.errors import TrainError
from jack_ray.methods.tsl.reference import MODEL
from jack_ray.methods.tsl.row import Row, lay_out
from tests.operators import loaded

pytestmark = pytest.mark.rank

PUBLISHED = Path(__file__).with_name("published_state_dict.txt")
SMALL = replace(MODEL, audio_widths=(4, 6, 8), aligned_width=8, hidden_width=12, audio_chunk=16)


def draw_batch(length: int, seed: int = 0) -> dict[str, Any]:
    generator = np.random.default_rng(seed)
    points = np.zeros((length, 2), np.float32)
    points[length // 3], points[length // 2] = (0.9, 0.1), (0.1, 0.9)
    return {
        "name": f"video {seed}",
        "rgb": generator.random((1, length, SMALL.rgb_width)).astype(np.float32),
        "mel": generator.random((1, length, SMALL.mel_frames, SMALL.mel_bands)).astype(np.float32),
        "points": points,
        "video_labels": np.ones((1, 2), np.float32),
        "label_distribution": np.array([0.5, 0.5], np.float32),
        "seeds": np.array([seed]),
    }


def draw_row(lengths: Sequence[int], seeds: Sequence[int]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Some videos, each as a batch, and all of them as one; each is labelled in its own way."""
    alone = [draw_batch(length, seed) for length, seed in zip(lengths, seeds, strict=True)]
    alone[1] |= {"video_labels": np.array([[1, 0]], np.float32), "label_distribution": np.array([1, 0], np.float32)}
    keys = ("rgb", "mel", "video_labels")
    samples = [{**batch, **{key: batch[key][0] for key in keys}, "fps": 25.0, "segments": []} for batch in alone]
    return alone, lay_out(samples) | {"seeds": np.array(seeds)}


def small(**changes: Any) -> Any:
    import jittor as jt

    from jack_ray.methods.tsl.model import Model

    jt.set_global_seed(3)
    return Model(replace(SMALL, **changes))


def test_names_and_shapes_are_the_published_ones() -> None:
    from jack_ray.methods.tsl.model import Model

    lines = [line.split("\t") for line in PUBLISHED.read_text().splitlines()]
    published = {name: ast.literal_eval(shape) for name, shape in lines}
    assert {name: list(var.shape) for name, var in Model(MODEL).state_dict().items()} == published


def test_groups_hold_every_learnt_parameter_once_and_the_audio_branch_learns_faster() -> None:
    model = small()
    others, audio = model.groups()
    names = [*others.parameters, *audio.parameters]
    assert sorted(names) == sorted(name for name in model.state_dict() if "running" not in name)
    assert all(name.startswith("cls_module.a_extractor.") for name in audio.parameters)
    assert (others.rate, audio.rate) == (1.0, 10.0)


def test_weights_start_within_pytorchs_bounds() -> None:
    weight = small().cls_module.neck[0].weight.numpy()
    bound = 1 / np.sqrt(weight[0].size)
    assert 0.9 * bound < np.abs(weight).max() <= bound


def test_the_outputs_have_the_shapes_they_say() -> None:
    model = small()
    model.eval()
    outputs = {name: var.numpy() for name, var in model(draw_batch(20)).items()}
    assert outputs["video_scores"].shape == (1, 2)
    assert outputs["scores"].shape == (1, 20, 3)
    assert outputs["features"].shape == (1, 20, 12)
    assert ((outputs["scores"] >= 0) & (outputs["scores"] <= 1)).all()


def test_a_videos_score_is_the_mean_of_its_best_eighth() -> None:
    model = small()
    model.eval()
    batch = draw_batch(24)
    outputs = model(batch)
    fused = outputs["scores"].numpy()[0].astype(np.float64)
    classes = fused[:, :2] / (1 - fused[:, 2:])
    best = np.sort(classes, axis=0)[::-1][: 24 // 8].mean(axis=0)
    np.testing.assert_allclose(outputs["video_scores"].numpy()[0], best, rtol=1e-5)


def test_a_class_that_is_not_labelled_scores_its_mean() -> None:
    model = small()
    model.eval()
    batch = draw_batch(24) | {"video_labels": np.array([[1, 0]], np.float32)}
    outputs = model.training_outputs(batch)
    fused = outputs["scores"].numpy()[0].astype(np.float64)
    mean = (fused[:, 1] / (1 - fused[:, 2])).mean()
    assert outputs["video_scores"].numpy()[0, 1] == pytest.approx(mean, rel=1e-5)


def test_the_positional_code_is_that_of_the_transformer() -> None:
    from jack_ray.methods.tsl.model import positional_code

    code = positional_code(4000, 60)
    assert code.dtype == np.float32
    np.testing.assert_allclose(code[0], np.tile([0, 1], 30), atol=1e-7)
    np.testing.assert_allclose(code[7, :2], [np.sin(7), np.cos(7)], atol=1e-6)
    np.testing.assert_allclose(code[100, 58], np.sin(100 * 10000 ** (-58 / 60)), atol=1e-5)


def test_neighbours_go_round_within_a_chunk() -> None:
    from jack_ray.methods.tsl.model import audio_chunks

    mel = np.arange(5, dtype=np.float32)[:, None, None] * np.ones((5, 2, 3), np.float32)
    (first, _), (second, _) = audio_chunks(mel, Row((5,)), np.zeros((5, 3), np.float32), 3)
    assert first.shape == (3, 1, 6, 3)
    assert first[:, 0, ::2, 0].tolist() == [[2, 0, 1], [0, 1, 2], [1, 2, 0]]
    assert second[:, 0, ::2, 0].tolist() == [[4, 3, 4], [3, 4, 3]]


def test_positions_count_on_over_chunks() -> None:
    from jack_ray.methods.tsl.model import audio_chunks

    positions = np.arange(5, dtype=np.float32)[:, None] * np.ones((5, 3), np.float32)
    chunks = audio_chunks(np.zeros((5, 2, 3), np.float32), Row((5,)), positions, 3)
    assert [images[:, 0, 2, 0].tolist() for images, _ in chunks] == [[0, 1, 2], [3, 4]]


def test_features_that_predict_themselves_are_found_more_often_than_by_chance() -> None:
    import jittor as jt

    from jack_ray.methods.tsl.model import log_probability

    # Four orthogonal snippets: own cosine 1, the others' 0, so ln(e / (e + 3)) for each.
    features = jt.array(np.eye(4, dtype=np.float32)[None])
    found = log_probability(features, features * 5, Row((4,))).numpy()[0]
    assert found == pytest.approx(1 - np.log(np.e + 3), rel=1e-6)


def test_dead_features_have_a_finite_gradient() -> None:
    import jittor as jt

    from jack_ray.methods.tsl.model import log_probability

    dead = jt.zeros((1, 6, 4))
    gradient = jt.grad(log_probability(dead, jt.ones((1, 6, 4)), Row((4,))), dead)
    assert np.isfinite(gradient.numpy()).all()


@pytest.mark.parametrize("length", [7, 41])
def test_a_video_of_a_length_it_cannot_take_is_named(length: int) -> None:
    model = small(max_snippets=40)
    with pytest.raises(TrainError, match=f"video 0 has {length} snippets; TSL-Net takes 8"):
        model(draw_batch(length))


def test_training_alone_leaves_the_running_statistics() -> None:
    model = small()
    model.train()
    before = model.state_dict()["cls_module.a_extractor.2.running_mean"].numpy().copy()
    model.training_outputs(draw_batch(20))["scores"].sync()
    np.testing.assert_array_equal(model.state_dict()["cls_module.a_extractor.2.running_mean"].numpy(), before)


def test_each_chunk_notes_its_own_statistics() -> None:
    from jack_ray.methods.shared.batchnorm import drain

    model = small()
    model.train()
    model.training_outputs(draw_batch(20))
    assert [noted.shape for noted in drain(model)] == [(2, 4), (2, 6), (2, 8)] * 2


def test_a_video_of_another_length_needs_no_other_operators() -> None:
    import jittor as jt

    from jack_ray.methods.roles import OneByOne, whole_loss
    from jack_ray.methods.tsl.loss import Loss

    model = small(audio_chunk=600)
    model.train()
    parameters = [var for group in model.groups() for var in group.parameters.values()]

    def needed_after(batch: dict[str, Any]) -> set[str]:
        loss, _ = whole_loss(Loss(SMALL)(model, batch, OneByOne()))
        jt.sync(jt.grad(loss, parameters))
        return loaded()

    def row(*lengths: int) -> dict[str, Any]:
        return draw_row(lengths, range(len(lengths)))[1]

    needed_after(draw_batch(20))
    known = needed_after(row(20, 9))
    assert known
    assert needed_after(row(8, 30, 12)) == known
    assert [needed_after(draw_batch(length)) for length in (21, 33, 50, 8)] == [known] * 4


def test_videos_in_a_row_learn_what_they_learn_alone() -> None:
    """Loss, terms, gradients and noted statistics; dropout, too, whose masks are each video's own."""
    import jittor as jt

    from jack_ray.methods.roles import OneByOne, whole_loss
    from jack_ray.methods.shared.batchnorm import drain
    from jack_ray.methods.tsl.loss import Loss

    model = small(dropout=0.5, audio_chunk=600)
    model.train()
    parameters = [var for group in model.groups() for var in group.parameters.values()]
    alone, row = draw_row([9, 20, 8], [5, 6, 7])

    def learn(batch: dict[str, Any]) -> tuple[list[np.ndarray[Any, Any]], list[np.ndarray[Any, Any]]]:
        loss, terms = whole_loss(Loss(SMALL)(model, batch, OneByOne()))
        gradients = jt.grad(loss, parameters)
        return [var.numpy() for var in (loss, *terms.values(), *gradients)], drain(model)

    singles = [learn(batch) for batch in alone]
    numbers, noted = learn(row)
    for together, *apart in zip(numbers, *[single for single, _ in singles], strict=True):
        scale = max(np.abs(part).max() for part in apart)
        np.testing.assert_allclose(together, np.mean(apart, axis=0), rtol=1e-4, atol=2e-5 * scale)
    for together, apart in zip(noted, [moments for _, of_video in singles for moments in of_video], strict=True):
        np.testing.assert_allclose(together, apart, rtol=1e-5, atol=1e-7)


def test_videos_in_a_row_score_as_they_do_alone() -> None:
    model = small(audio_chunk=600)
    model.eval()
    alone, batch = draw_row([9, 20, 8], [5, 6, 7])
    outputs = {name: var.numpy() for name, var in model.training_outputs(batch).items()}
    for number, (single, place) in enumerate(zip(alone, Row((9, 20, 8)).places, strict=True)):
        expected = {name: var.numpy() for name, var in model.training_outputs(single).items()}
        np.testing.assert_allclose(outputs["scores"][0, place], expected["scores"][0], rtol=1e-5)
        np.testing.assert_allclose(outputs["video_scores"][number], expected["video_scores"][0], rtol=1e-5)
        np.testing.assert_allclose(outputs["video_distribution"][number], expected["video_distribution"][0], rtol=1e-5)


def test_a_video_in_a_row_that_has_no_point_is_named() -> None:
    from jack_ray.methods.roles import OneByOne
    from jack_ray.methods.tsl.loss import Loss

    _, batch = draw_row([9, 8], [5, 6])
    batch["points"][10:] = 0
    with pytest.raises(TrainError, match="video 6 has no labelled point"):
        Loss(SMALL)(small(), batch, OneByOne())
