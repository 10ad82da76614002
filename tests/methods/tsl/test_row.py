import numpy as np

from jack_ray.methods.tsl.row import Row, lay_out


def test_videos_lie_one_after_the_other_with_an_empty_snippet_between_them() -> None:
    row = Row((2, 3, 1))
    assert row.size == 8
    assert row.places == (slice(0, 2), slice(3, 6), slice(7, 8))
    assert row.filled.tolist() == [1, 1, 0, 1, 1, 1, 0, 1]
    assert row.numbers.tolist() == [0, 1, -1, 2, 3, 4, -1, 5]


def test_one_video_is_a_row_without_an_empty_snippet() -> None:
    row = Row.of({"rgb": np.zeros((1, 4, 7))})
    assert (row.lengths, row.size, row.places) == ((4,), 4, (slice(0, 4),))
    assert row.together.all()


def test_membership_makes_a_sum_a_videos_mean() -> None:
    membership = Row((2, 1)).membership
    assert membership.tolist() == [[0.5, 0.5, 0, 0], [0, 0, 0, 1]]


def test_snippets_are_together_with_those_of_their_video_and_with_themselves() -> None:
    assert Row((2, 1)).together.tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_shares_give_each_video_the_same_weight() -> None:
    # The first video weighs 1 + 3, the second 2, the third nothing; each of three counts a third.
    weights = np.array([[1, 0], [0, 3], [9, 9], [2, 1], [9, 9], [0, 0]], np.float32)
    shares = Row((2, 1, 1)).shares(weights)
    expected = np.array([[1, 0], [0, 3], [0, 0], [4, 2], [0, 0], [0, 0]]) / 12
    np.testing.assert_allclose(shares, expected, rtol=1e-6)


def test_samples_are_laid_out_with_nothing_between_them() -> None:
    def sample(length: int, value: float) -> dict[str, object]:
        full = np.full((length, 2), value, np.float32)
        return {
            "name": f"video {value}", "fps": 25.0, "segments": [], "rgb": full, "mel": full[:, :, None], "points": full,
            "video_labels": np.ones(2, np.float32), "label_distribution": np.ones(2, np.float32) / 2,
        }  # fmt: skip

    batch = lay_out([sample(2, 1), sample(1, 5)])
    assert batch["lengths"] == (2, 1)
    assert batch["rgb"][0, :, 0].tolist() == [1, 1, 0, 5]
    assert batch["mel"].shape == (1, 4, 2, 1)
    assert batch["points"][:, 1].tolist() == [1, 1, 0, 5]
    assert batch["label_distribution"].shape == (2, 2)
    assert batch["name"] == ["video 1", "video 5"]
