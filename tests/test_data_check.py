"""python -m jack_ray.data check, and describe"""

import shutil
from pathlib import Path

import pytest

from jack_ray.data.__main__ import main
from jack_ray.data.looking.bar import shown
from jack_ray.methods.tsl.demo import generate
from tests.methods.shared.clip_trees import REAL, small_tree


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class tree that no test changes."""
    return small_tree(tmp_path_factory.mktemp("check") / "tree")


@pytest.fixture
def own(tree: Path, tmp_path: Path) -> Path:
    """One to spoil."""
    return Path(shutil.copytree(tree, tmp_path / "tree"))


@pytest.fixture(scope="module")
def videosenti(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Demo data of TSL-Net."""
    root = tmp_path_factory.mktemp("check") / "VideoSenti"
    generate(root, train=2, test=1, seed=1, snippets=(8, 9))
    return root


Said = pytest.CaptureFixture[str]


@pytest.mark.parametrize("name", ["class_tree", "vaanet", "cten"])
def test_a_sound_tree_is_in_order_by_the_name_of_method_and_data_set(tree: Path, name: str, capsys: Said) -> None:
    settings = [] if name == "class_tree" else ["data.labels=null", "data.annotation=annotation.json"]
    assert main(["check", name, str(tree), *settings]) == 0
    told = capsys.readouterr().out
    assert f"{tree} is in order (annotations, counts and headers were read; --deep decodes all)" in told
    assert "train and val videos: 16, test videos: 4" in told


def test_everything_wrong_is_told_at_once(own: Path, capsys: Said) -> None:
    (own / "img/Fear/fear_training_00/n_frames").unlink()
    (own / "mp3/Anger/anger_training_00.mp3").write_bytes(b"")
    assert main(["check", "class_tree", str(own)]) == 2
    told = capsys.readouterr().err
    assert "The data has faults (2 found)" in told
    assert "Traceback" not in told


def test_deep_decodes_everything(own: Path, tree: Path, capsys: Said) -> None:
    assert main(["check", "class_tree", str(tree), "--deep"]) == 0
    assert "every file was decoded" in capsys.readouterr().out
    (own / "img/Fear/fear_training_00/000003.jpg").write_bytes(b"")
    (own / "mp3/Anger/anger_training_00.mp3").write_bytes(b"")
    assert main(["check", "class_tree", str(own)]) == 2
    assert main(["check", "class_tree", str(own), "--deep"]) == 2
    told = capsys.readouterr().err.rpartition("error: ")[2]
    assert "(2 found)" in told
    assert "000003.jpg: not a picture that can be read" in told


def test_a_method_without_a_decoder_of_its_own_is_read_sample_by_sample(
    videosenti: Path, tmp_path: Path, capsys: Said
) -> None:
    assert main(["check", "tsl", str(videosenti), "--deep"]) == 0
    own = Path(shutil.copytree(videosenti, tmp_path / "x"))
    path = next((own / "features/train/rgb").iterdir())
    content = path.read_bytes()
    path.write_bytes(content[:-8] + b"\xff" * 8)
    assert main(["check", "tsl300", str(own)]) == 0
    assert main(["check", "tsl300", str(own), "--deep"]) == 2
    assert f"{path.name}: nan in row" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["clas_tree"], "clas_tree: no such method or data set; expected one of both\n    Did you mean class_tree?"),
        (["class_tree", "data.anotation=x"], "data.anotation: no such setting"),
        (["class_tree", "train.lr=1"], "train.lr=1: no setting of the data set; expected data.KEY=VALUE"),
        (["tsl300", "data.annotator=9"], "data.annotator: 9 is a whole number; expected one of"),
        (["class_tree", "data.frame_step=0"], "data.frame_step: 0; expected a whole number >= 1"),
    ],
)
def test_what_is_mistyped_is_told(tree: Path, words: list[str], message: str, capsys: Said) -> None:
    assert main(["check", words[0], str(tree), *words[1:]]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert "(1 found)" in told


def test_a_missing_folder_is_told(tmp_path: Path, capsys: Said) -> None:
    for deep in ([], ["--deep"]):
        assert main(["check", "class_tree", str(tmp_path / "x"), *deep]) == 2
        assert "no such folder" in capsys.readouterr().err


def test_a_tree_is_described_with_a_picture(tree: Path, tmp_path: Path, capsys: Said) -> None:
    assert main(["describe", "class_tree", str(tree), "--picture", str(tmp_path / "a.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["class", "train", "val", "test", "all"]
    assert lines[1].split()[0] == "Anger"
    assert [int(part) for part in lines[5].split()[1:]] == [14, 2, 4, 20]
    assert "a video lasts 0.7 to 0.8 s" in "\n".join(lines)
    assert (tmp_path / "a.png").stat().st_size > 5000


def test_features_are_described_by_their_counts(videosenti: Path, capsys: Said) -> None:
    assert main(["describe", "tsl", str(videosenti)]) == 0
    assert "train videos: 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        ("a.txt", "a.txt: expected a name that ends in .png, .pdf or .svg"),
        ("nowhere/a.png", "nowhere/a.png: there is no folder"),
    ],
)
def test_a_picture_that_cannot_be_drawn_is_told(
    tree: Path, tmp_path: Path, picture: str, message: str, capsys: Said
) -> None:
    assert main(["describe", "class_tree", str(tree), "--picture", str(tmp_path / picture)]) == 2
    assert message in capsys.readouterr().err


def test_a_broken_tree_is_not_described(own: Path, capsys: Said) -> None:
    (own / "annotation.json").unlink()
    assert main(["describe", "class_tree", str(own)]) == 2
    assert "annotation.json: no such file" in capsys.readouterr().err


def test_what_is_counted_is_told_in_lines_where_there_is_no_terminal(capsys: Said) -> None:
    assert list(shown(range(20), 20, "videos")) == [*range(20)]
    assert capsys.readouterr().out.splitlines()[-1] == "  videos: 20 of 20"
    assert list(shown(range(250), None, "decoded")) == [*range(250)]
    assert capsys.readouterr().out.splitlines() == ["  decoded: 100", "  decoded: 200"]


@pytest.mark.parametrize(("name", "file"), [("ve8", "ve8_01.json"), ("ekman6", "ek6_01.json")])
def test_the_published_annotations_without_their_videos_are_one_fault(
    name: str, file: str, tmp_path: Path, capsys: Said
) -> None:
    published = REAL / "ve8_ek6_annotations" / file
    if not published.is_file():
        pytest.skip(f"no {file} beside the checkout")
    shutil.copy(published, tmp_path)
    assert main(["check", name, str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "(1 found)" in told
    assert f"videos of {file}; expected a folder <Class>/<id> for each" in told
