"""A really trained model, registered, loaded by MLflow alone, and asked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from jack_ray.contract.environment import PACKAGE_PARENT, interpreter
from jack_ray.contract.errors import JackRayError
from jack_ray.contract.order import Order
from jack_ray.contract.trial import load_trial
from jack_ray.registry import publish
from jack_ray.registry.publish import CARD
from jack_ray.registry.request import read_request
from jack_ray.served.process import Computing
from tests.apply.delivered import deliver
from tests.training import Ran

pytestmark = [pytest.mark.rank, pytest.mark.mlflow, pytest.mark.filterwarnings("ignore")]

ASK = """
import json, sys
import mlflow, pandas
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(sys.argv[2])
answers = [model.predict(pandas.DataFrame({"input": sys.argv[3:]})) for _ in range(2)]
import jack_ray
wall = [name for name in ("jittor", "ray", "hydra") if name in sys.modules]
print(json.dumps({"rows": [one.to_dict("records") for one in answers], "wall": wall, "code": jack_ray.__file__}))
"""
SAME = ("label", "probabilities", "segments")


def test_a_registered_model_answers_as_the_trial_does_from_its_own_copy_of_the_code(
    trained: Ran, jittor_home: Path, demo_data: Path, tmp_path: Path
) -> None:
    delivered = deliver(trained.folder, tmp_path)
    publish.promote(read_request(delivered.words("alias=champion")))
    features = demo_data / "features" / "test" / "rgb"
    names = sorted(path.name for path in features.glob("*.npy"))[:2]
    asked = [f"features/test/rgb/{name}" for name in names]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"JACK_RAY_INPUT_ROOT": str(demo_data), "JACK_RAY_JITTOR_HOME": str(jittor_home)}
    words = [delivered.uri, "models:/ours@champion", *asked, "/etc/hostname", "features/none.npy"]
    done = subprocess.run(
        [sys.executable, "-c", ASK, *words],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["wall"] == []
    assert Path(told["code"]).parents[1].name == "code"
    first, second = told["rows"]
    assert first == second
    assert "outside of the folder of inputs" in first[2]["error"]
    assert "no such file or folder" in first[3]["error"]
    assert first[3]["label"] is None

    output = tmp_path / "answers.json"
    predict = [interpreter(), "-m", "jack_ray.predict", f"run={trained.folder.path}", f"input={features}"]
    command = [*predict, f"site.jittor={jittor_home}", f"output={output}"]
    again = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PACKAGE_PARENT, timeout=600)
    assert again.returncode == 0, again.stderr
    answers = {Path(one["input"]).name: one for one in json.loads(output.read_text())["answers"]}
    for row, name in zip(first, names, strict=False):
        assert {key: row[key] for key in SAME} == {key: answers[name][key] for key in SAME}
        assert row["error"] is None


def test_what_training_leaves_is_what_a_card_is_made_of(trained: Ran, tmp_path: Path) -> None:
    delivered = deliver(trained.folder, tmp_path)
    publish.promote(read_request(delivered.words()))
    (card,) = (tmp_path / "mlartifacts").rglob(CARD)
    text = card.read_text()
    assert f"{trained.final['test/average_mAP']:.3f}</td>" in text
    assert "n = 3 samples of the test split" in text
    assert "Train videos</td><td>12</td>" in text


def test_a_process_that_has_died_is_told_once_and_started_anew(
    trained: Ran, jittor_home: Path, demo_data: Path
) -> None:
    trial = load_trial(trained.folder.trial)
    weights = next(trained.folder.checkpoints.glob("step-*/model.safetensors"))
    computing = Computing(Order("serve", trial, str(weights), ("n", "p")), jittor_home)
    video = str(next((demo_data / "features" / "test" / "rgb").glob("*.npy")))
    before = computing.ask([video])
    assert computing.finds_segments
    assert computing._process is not None
    computing._process.kill()
    with pytest.raises(JackRayError, match="The process that computes ended with code -9"):
        computing.ask([video])
    (followed,) = computing.ask([video], timeline=True)
    assert len(followed.pop("timeline")) == len(followed["scores"])
    assert [followed] == before
    process = computing._process
    computing.close()
    assert process.returncode == -9


def test_a_model_that_gives_nan_is_named(trained: Ran, jittor_home: Path, demo_data: Path, tmp_path: Path) -> None:
    trial = load_trial(trained.folder.trial)
    tensors = load_file(next(trained.folder.checkpoints.glob("step-*/model.safetensors")))
    save_file({name: np.full_like(one, np.nan) for name, one in tensors.items()}, tmp_path / "nan.safetensors")
    computing = Computing(Order("serve", trial, str(tmp_path / "nan.safetensors"), ("n", "p")), jittor_home)
    video = str(next((demo_data / "features" / "test" / "rgb").glob("*.npy")))
    (answer,) = computing.ask([video], timeline=True)
    computing.close()
    assert f"the model {trial.id} gives no number (NaN); expected finite numbers" in answer["error"]
    assert "timeline" not in answer


def test_weights_that_are_not_the_models_are_told(trained: Ran, jittor_home: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"no tensors")
    trial = load_trial(trained.folder.trial)
    computing = Computing(Order("serve", trial, str(tmp_path / "broken.safetensors"), ("n", "p")), jittor_home)
    with pytest.raises(JackRayError, match="ended with code 2"):
        computing.ask([])
