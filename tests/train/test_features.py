"""Kept features of a frozen backbone: the same numbers, from files that any trial may have written."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from jack_ray.compose import make_plan, read_command
from jack_ray.contract.paths import TrialFolder, trial_folder
from jack_ray.methods.shared.kept_features import Seen
from jack_ray.train.checkpoint import step_folder
from jack_ray.train.feature_folder import Counts, FeatureFolder
from tests.methods.shared.clip_networks import CTEN, VAANET, batch, small
from tests.methods.shared.clip_trees import small_tree
from tests.training import Ran, fingerprint, numbers, train

pytestmark = pytest.mark.rank

KEPT = ("data.clips=fixed", "data.clip_variants=2", "model.backbone=frozen", "model.freeze_bn=true")
FEW_STEPS = ("train.steps=4", "train.evaluate_every=2", "train.checkpoint_every=1", "train.keep_checkpoints=4",
             "train.batch=4", "train.lr=1e-4")  # fmt: skip


def network(method: str) -> Any:
    import importlib

    import jittor as jt

    settings = {"vaanet": VAANET, "cten": CTEN}[method]
    published = importlib.import_module(f"jack_ray.methods.{method}.reference").MODEL
    jt.set_global_seed(3)
    model = importlib.import_module(f"jack_ray.methods.{method}.model").Model(
        small(published, settings, freeze_bn=True)
    )
    jt.sync_all(True)
    return model


def seen(shelf: FeatureFolder, clips: NDArray[Any]) -> list[Seen]:
    recipes = [str(number) for number in range(len(clips))]
    return [
        Seen(shelf, recipe, shelf.find(recipe), one, 1.0) for recipe, one in zip(recipes, clips, strict=True)
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["vaanet", "cten"])
def test_logits_are_the_same_with_and_without_kept_features(method: str, tmp_path: Path) -> None:
    model = network(method)
    given = batch(model._config, 4)
    given["visual"] = np.rint(given["visual"])
    audio = {"audio": given["audio"]}
    for turn in range(2):
        for mode in (model.train, model.eval):
            mode()
            shelf = FeatureFolder(tmp_path / mode.__name__, 10**9, model.frozen_identity())
            plain = model(given)["logits"].numpy()
            kept = model({**audio, "seen": seen(shelf, given["visual"])})["logits"].numpy()
            np.testing.assert_allclose(kept, plain, rtol=0, atol=1e-6)
            assert shelf.counts == (Counts(found=4) if turn else Counts(made=4))


def test_features_that_were_made_beside_other_videos_are_the_same_bits(tmp_path: Path) -> None:
    model = network("vaanet")
    clips = np.rint(batch(model._config, 4)["visual"])
    one, two = (FeatureFolder(tmp_path / name, 10**9, "net") for name in ("one", "two"))
    together = model._look.at({"seen": seen(one, clips)}).numpy()
    alone = [model._look.at({"seen": [video]}).numpy()[0] for video in seen(two, clips)]
    assert together.tobytes() == np.stack(alone).tobytes()


def test_the_identity_of_a_backbone_is_that_of_its_weights_and_statistics() -> None:
    import jittor as jt

    model = network("vaanet")
    first = model.frozen_identity()
    assert network("vaanet").frozen_identity() == first
    assert network("cten").frozen_identity() != first
    model.av_fc.bias.update(model.av_fc.bias + 1)
    assert model.frozen_identity() == first
    model.resnet[1].running_mean.update(model.resnet[1].running_mean + 1)
    second = model.frozen_identity()
    assert second != first
    from jack_ray.methods.shared import kernels

    kernels.choose("plain")
    assert model.frozen_identity() not in (first, second)
    kernels.choose("auto")
    assert model.frozen_identity() == second
    weight = model.resnet[0].weight
    weight.update(jt.array(weight.numpy() * 2))
    assert model.frozen_identity() not in (first, second)


def test_a_backbone_that_is_trained_refuses_to_keep_features(tmp_path: Path) -> None:
    model = network("vaanet")
    model._look.is_frozen = False
    clips = batch(model._config, 1)["visual"]
    with pytest.raises(AssertionError, match="features that change are not kept"):
        model._look.at({"seen": seen(FeatureFolder(tmp_path, 10**9, "net"), clips)})


@dataclass(frozen=True)
class Cold:
    """A trial of two ranks that found no features."""

    method: str
    root: Path
    ran: Ran
    home: Path

    def trial(self, runs: Path, *words: str) -> TrialFolder:
        """The same trial, ready for its ranks in another folder."""
        return new_trial(self.method, self.root, runs, *words)


def new_trial(method: str, root: Path, runs: Path, *words: str) -> TrialFolder:
    chosen = [f"model={method}_smoke", f"data.root={root / 'data'}", f"site.runs={runs}", "cluster.ranks=2"]
    chosen += [f"site.features={root / 'features'}", *KEPT, *FEW_STEPS, *words]
    trial, _ = make_plan(read_command(chosen)).trial(())
    folder = trial_folder(runs, trial.id)
    trial.save(folder.trial)
    return folder


@pytest.fixture(scope="module", params=["vaanet", "cten"])
def cold(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, jittor_home: Path) -> Cold:
    root = tmp_path_factory.mktemp(request.param)
    small_tree(root / "data", num_classes=8, train=3)
    ran = train(new_trial(request.param, root, root / "runs"), jittor_home, storage=root / "storage")
    assert ran.ended.status == "finished", ran.message
    return Cold(request.param, root, ran, jittor_home)


def told(ran: Ran) -> str:
    """What the trial says of its features."""
    assert ran.ended.status == "finished", ran.message
    (text,) = [event.about["text"] for event in ran.told if "frozen backbone" in str(event.about.get("text"))]
    return str(text)


def spoil_all_but_what_tells_videos_apart(images: Path) -> None:
    """Pictures that nobody can decode, without another identity."""
    for count in images.rglob("n_frames"):
        last = int(count.read_text())
        for path in count.parent.glob("*.jpg"):
            if int(path.stem) not in (1, last // 2, last):
                path.write_bytes(b"spoilt")


def test_a_trial_on_another_machine_decodes_no_video_and_ends_with_the_same_bits(cold: Cold, tmp_path: Path) -> None:
    assert " 0 computed" not in told(cold.ran)
    copy, storage = tmp_path / "root", tmp_path / "storage"
    shutil.copytree(cold.root / "data", copy / "data")
    shutil.copytree(cold.root / "storage" / "features", storage / "features")  # its checkpoints would end the trial
    spoil_all_but_what_tells_videos_apart(copy / "data" / "img")
    again = train(new_trial(cold.method, copy, tmp_path), cold.home, storage=storage)
    assert "of them from site.storage), 0 computed" in told(again)
    assert fingerprint(again.folder) == fingerprint(cold.ran.folder)
    assert numbers(again.folder) == numbers(cold.ran.folder)


def test_without_kept_features_it_is_the_same_trial_with_the_same_numbers(cold: Cold, tmp_path: Path) -> None:
    plain = train(cold.trial(tmp_path, "data.feature_cache=false"), cold.home)
    assert plain.folder.path.name == cold.ran.folder.path.name
    ours, theirs = numbers(cold.ran.folder), numbers(plain.folder)
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        assert ours[key] == pytest.approx(value, rel=1e-5, abs=1e-6), key


def test_one_rank_trains_as_two_do(cold: Cold, tmp_path: Path) -> None:
    alone = train(cold.trial(tmp_path, "cluster.ranks=1"), cold.home, ranks=1)
    assert " 0 computed" in told(alone)
    for name in ("train/total", "train/gradient_norm"):
        ours, theirs = alone.curve(name), cold.ran.curve(name)
        assert list(ours) == [1, 2, 3, 4]
        for step in ours:
            assert ours[step] == pytest.approx(theirs[step], rel=1e-4), (name, step)


def test_an_interrupted_training_ends_with_the_same_bits_also_after_damage(cold: Cold, tmp_path: Path) -> None:
    copy = tmp_path / "features"
    shutil.copytree(cold.root / "features", copy)
    for number, path in enumerate(sorted(copy.rglob("*.safetensors"))):
        if number % 3 == 0:
            path.write_bytes(path.read_bytes()[:-1] + b"!")
        elif number % 3 == 1:
            path.unlink()
    straight = cold.ran.folder
    folder = cold.trial(tmp_path, f"site.features={copy}")
    shutil.copytree(straight.checkpoints, folder.checkpoints)
    for step in (3, 4):
        shutil.rmtree(step_folder(folder, step))
    second = train(folder, cold.home, attempt=2)
    assert list(second.curve("train/total")) == [3, 4]
    assert "damaged ones were replaced" in told(second)
    assert fingerprint(folder) == fingerprint(straight)
