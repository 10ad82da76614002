"""A model is held against the classes of its data before anything starts."""

import json
import shutil
from pathlib import Path

import pytest

from jack_ray.compose import make_plan, read_command
from jack_ray.contract.errors import ConfigError, DataError
from jack_ray.data.__main__ import main


@pytest.fixture(scope="module")
def three_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("classes") / "data"
    assert main(["demo", "vaanet", str(root), "--classes", "3", "--train", "3", "--test", "1", "--sound", "wav"]) == 0
    return root


@pytest.mark.parametrize("model", ["vaanet_smoke", "cten_smoke"])
def test_another_number_of_classes_than_the_datas_is_told_with_what_to_type(model: str, three_classes: Path) -> None:
    words = [f"model={model}", f"data.root={three_classes}", "cluster.ranks=1"]
    with pytest.raises(
        ConfigError, match=r"model\.num_classes: 8, but the data has 3: .*\n +Type model\.num_classes=3"
    ):
        make_plan(read_command(words))
    assert make_plan(read_command([*words, "model.num_classes=3"])).base.model.num_classes == 3


def _words(root: Path) -> list[str]:
    return ["model=vaanet_smoke", f"data.root={root}", "cluster.ranks=1", "model.num_classes=3", "model.loss=ce"]


def test_broken_samples_stop_a_launch_unless_they_are_to_be_skipped(three_classes: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(three_classes, tmp_path / "data"))
    words = _words(root)
    sound = make_plan(read_command(words))
    next(root.glob("mp3/*/*.wav")).write_bytes(b"")
    with pytest.raises(DataError, match=r"an empty file(.|\n)*Or type train\.on_unreadable=skip to go on without"):
        make_plan(read_command(words))
    skipping = make_plan(read_command([*words, "train.on_unreadable=skip"]))
    assert skipping.trial(())[0].id != sound.trial(())[0].id
    for path in root.glob("img/*/*/n_frames"):
        path.write_text("0")
    with pytest.raises(DataError) as caught:
        make_plan(read_command([*words, "train.on_unreadable=skip"]))
    assert "Or type" not in str(caught.value)


def test_a_class_without_polarity_is_told_where_polarities_count(three_classes: Path, tmp_path: Path) -> None:
    annotation = three_classes / "annotation.json"
    first = json.loads(annotation.read_text())["labels"][0]
    words = ["model=vaanet_smoke", f"data.root={three_classes}", "cluster.ranks=1", "model.num_classes=3"]
    with pytest.raises(ConfigError, match=rf"no {first}, .*expected every class of the data") as caught:
        make_plan(read_command([*words, "model.positive=[]", "model.negative=[]"]))
    assert "model.loss=ce" in str(caught.value)
    assert (
        make_plan(read_command([*words, "model.positive=[]", "model.negative=[]", "model.loss=ce"])).base.method
        == "vaanet"
    )
