"""Where the windows of a recording lie."""

import pytest

from jack_ray.contract.errors import DataError
from jack_ray.methods.shared.windows import refuse_long, timeline, windows_of


@pytest.mark.parametrize(
    ("duration_s", "ends"),
    [(3.0, [3.0]), (14.9, [14.9]), (15.0, [10.0, 15.0]), (24.0, [10.0, 24.0]), (30.0, [10.0, 20.0, 30.0])],
)
def test_windows_have_no_gap_and_a_short_rest_belongs_to_the_last(duration_s: float, ends: list[float]) -> None:
    windows = windows_of(duration_s, 10.0)
    assert [end for _, end in windows] == ends
    assert [start for start, _ in windows] == [0.0, *ends[:-1]]


def test_the_only_window_has_the_answer_of_the_whole_and_nothing_is_read_for_it() -> None:
    def fail(_: object) -> None:
        raise AssertionError

    whole = {"probabilities": {"joy": 1.0}, "label": "joy"}
    found = timeline([(0.0, 3.0)], whole, [], fail)  # type: ignore[arg-type]
    assert found == [{"start_s": 0.0, "end_s": 3.0, "probabilities": {"joy": 1.0}}]


def test_what_is_too_long_is_told_with_its_length() -> None:
    refuse_long("a.mp4", 60.0, 60.0)
    with pytest.raises(DataError, match=r"a\.mp4: 61 s long; expected at most 60 s \(max_s\)"):
        refuse_long("a.mp4", 61.0, 60.0)
