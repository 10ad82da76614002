"""Both commands on a really trained model."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jack_ray.contract.environment import PACKAGE_PARENT, interpreter
from jack_ray.contract.paths import TrialFolder
from tests.training import Ran

pytestmark = pytest.mark.rank


def typed(command: str, folder: TrialFolder, jittor_home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    arguments = [interpreter(), "-m", f"jack_ray.{command}", f"run={folder.path}", f"site.jittor={jittor_home}", *words]
    return subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=PACKAGE_PARENT, timeout=600)


def test_scoring_again_gives_the_numbers_that_training_ended_with(
    trained: Ran, jittor_home: Path, tmp_path: Path
) -> None:
    done = typed("test", trained.folder, jittor_home, f"output={tmp_path}")
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "numbers.json").read_text())
    expected = {name: value for name, value in trained.final.items() if name.startswith("test/")}
    assert written["numbers"] == expected
    assert f"average_mAP     {expected['test/average_mAP']:.4f}" in done.stdout
    assert all(Path(path).stat().st_size > 0 for path in written["files"])


def predicted(trained: Ran, jittor_home: Path, source: Path, *words: str) -> tuple[dict[str, Any], int, str]:
    output = source / "answers.json"
    done = typed("predict", trained.folder, jittor_home, f"input={source}", f"output={output}", *words)
    return json.loads(output.read_text()), done.returncode, done.stderr


def test_answers_are_the_same_alone_and_in_a_batch_and_a_broken_file_spoils_no_other(
    trained: Ran, jittor_home: Path, demo_data: Path, tmp_path: Path
) -> None:
    features = tmp_path / "features" / "test"
    shutil.copytree(demo_data / "features" / "test", features)
    shutil.copy(demo_data / "fps_dict.json", tmp_path)
    broken = sorted((features / "rgb").glob("*.npy"))[1]
    broken.write_bytes(broken.read_bytes()[:-4])
    alone, code, told = predicted(trained, jittor_home, features, "batch=1", f"pictures={tmp_path / 'pictures'}")
    together, _, _ = predicted(trained, jittor_home, features, "batch=8")
    assert code == 1
    assert f"error: {broken}: cut short" in told
    assert len(alone["faults"]) == 1
    assert len(alone["answers"]) == len(list((features / "rgb").glob("*.npy"))) - 1
    for one, other in zip(alone["answers"], together["answers"], strict=True):
        assert Path(one.pop("picture")).read_bytes().startswith(b"\x89PNG")
        assert one == other
        assert sum(one["probabilities"].values()) == pytest.approx(1)
        assert all(segment["end_s"] > segment["start_s"] for segment in one["segments"])


def test_weights_of_another_model_are_refused(trained: Ran, jittor_home: Path, tmp_path: Path) -> None:
    done = typed("test", trained.folder, jittor_home, "model.hidden_width=64")
    assert done.returncode == 2
    assert "tensors have another shape than the model's:" in done.stderr
    assert sys.executable not in done.stderr
