import time
from dataclasses import replace
from pathlib import Path

import pytest

from jack_ray.contract.state import State, load_state, save_state


def test_a_state_comes_back_with_the_moment_it_was_saved(tmp_path: Path) -> None:
    state = State("finished", 2, "", 100, {"test/average_mAP": 0.25}, 12.5)
    save_state(tmp_path / "state.json", state)
    loaded = load_state(tmp_path / "state.json")
    assert replace(loaded, changed=0.0) == state
    assert abs(loaded.changed - time.time()) < 5.0


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"unknown": 1}'])
def test_a_trial_without_a_readable_state_never_ran(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "state.json"
    if text is not None:
        path.write_text(text)
    assert load_state(path) == State()
    assert State().status == "new"
