"""Which pictures are taken."""

import numpy as np
import pytest

from jack_ray.methods.shared.clips import kept_numbers, picture_numbers, sample_clips


def test_pictures_count_from_one_in_steps() -> None:
    assert picture_numbers(7, 1).tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert picture_numbers(7, 3).tolist() == [1, 4, 7]


def test_the_middle_of_each_segment_is_taken_for_evaluation() -> None:
    """100 pictures in 3 segments of 33: clips of 4 begin at 33 // 2 - 4 // 2 = 14 in each."""
    clips = sample_clips(picture_numbers(100, 1), 3, 4, None)
    assert clips.tolist() == [[15, 16, 17, 18], [48, 49, 50, 51], [81, 82, 83, 84]]


def test_a_short_video_is_repeated_from_its_beginning() -> None:
    """5 pictures for 3 clips of 4: 1 2 3 4 5 1 2 3 4 5 1 2."""
    clips = sample_clips(picture_numbers(5, 1), 3, 4, None)
    assert clips.tolist() == [[1, 2, 3, 4], [5, 1, 2, 3], [4, 5, 1, 2]]


def test_drawn_clips_are_consecutive_and_stay_in_their_segment() -> None:
    generator = np.random.default_rng(1)
    for _ in range(200):
        clips = sample_clips(picture_numbers(100, 1), 3, 4, generator)
        assert (np.diff(clips, axis=1) == 1).all()
        for segment, clip in enumerate(clips):
            assert segment * 33 < clip[0]
            assert clip[-1] <= (segment + 1) * 33


def test_a_drawn_clip_may_begin_at_every_place_where_it_fits() -> None:
    """Also at the last one, which the published code leaves out: 6 pictures hold clips of 4 from 1, 2 and 3."""
    generator = np.random.default_rng(1)
    starts = {int(sample_clips(picture_numbers(6, 1), 1, 4, generator)[0, 0]) for _ in range(100)}
    assert starts == {1, 2, 3}


@pytest.mark.parametrize("num_frames", [1, 2, 15, 16, 47, 48, 49, 191, 192, 193, 1000])
@pytest.mark.parametrize(("segments", "clip_frames"), [(12, 16), (3, 15), (1, 1)])
def test_clips_of_every_length_of_video_have_their_shape(num_frames: int, segments: int, clip_frames: int) -> None:
    numbers = picture_numbers(num_frames, 1)
    for generator in (None, np.random.default_rng(0)):
        clips = sample_clips(numbers, segments, clip_frames, generator)
        assert clips.shape == (segments, clip_frames)
        assert clips.min() >= 1
        assert clips.max() <= num_frames


def test_kept_segments_have_their_pictures_and_no_others() -> None:
    """22 pictures in 4 segments of 5; the last two belong to none."""
    numbers = picture_numbers(22, 1)
    assert kept_numbers(numbers, 22, 4, [1]).tolist() == [6, 7, 8, 9, 10]
    assert kept_numbers(numbers, 22, 4, [3, 0]).tolist() == [1, 2, 3, 4, 5, 16, 17, 18, 19, 20]
    assert kept_numbers(picture_numbers(22, 2), 22, 4, [1]).tolist() == [7, 9]


@pytest.mark.parametrize(("num_frames", "kept"), [(22, []), (3, [1])])
def test_all_pictures_are_kept_where_no_segment_has_any(num_frames: int, kept: list[int]) -> None:
    assert kept_numbers(picture_numbers(num_frames, 1), num_frames, 4, kept).tolist() == [*range(1, num_frames + 1)]
