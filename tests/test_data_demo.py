"""python -m jack_ray.data demo"""

from pathlib import Path

import pytest

from jack_ray.data.__main__ import main
from jack_ray.data.demo import methods_with_demo

SMALL = ["--train", "2", "--test", "1", "--snippets", "8", "9"]


def test_the_command_says_what_it_wrote_and_what_to_type_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "VideoSenti"
    assert main(["demo", "tsl", str(root), *SMALL]) == 0
    told = capsys.readouterr().out
    assert "2 train and 1 test videos" in told
    assert str(root) in told
    assert f"python -m jack_ray.launch model=tsl_small sweep=lr data.root={root}" in told
    assert (root / "gt.json").is_file()


def test_a_folder_of_somebody_elses_is_one_message_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.tex").write_text("")
    assert main(["demo", "tsl", str(tmp_path), *SMALL]) == 2
    told = capsys.readouterr().err
    assert "not demo data" in told
    assert "Type another folder" in told
    assert "Traceback" not in told


def test_a_limit_belongs_to_annotations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "tsl", str(tmp_path / "new"), "--limit", "3"]) == 2
    assert "--limit: 3; expected --annotations beside it" in capsys.readouterr().err


def test_annotations_with_a_limit_are_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["demo", "tsl", str(tmp_path / "old"), "--train", "4", "--test", "3", "--snippets", "8", "9"])
    source = ["--annotations", str(tmp_path / "old")]
    assert main(["demo", "tsl", str(tmp_path / "cut"), *source, "--limit", "2"]) == 0
    assert "2 train and 2 test videos" in capsys.readouterr().out
    assert main(["demo", "tsl", str(tmp_path / "whole"), *source]) == 0
    assert "4 train and 3 test videos" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["demo"], "the following arguments are required: METHOD"),
        (["demo", "tls", "x"], "invalid choice: 'tls' (choose from"),
        (["demo", "tsl"], "the following arguments are required: ROOT"),
        (["demo", "tsl", "x", "--train", "many"], "argument --train: invalid int value: 'many'"),
    ],
)
def test_what_is_missing_or_mistyped_is_told(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exited:
        main(arguments)
    assert exited.value.code == 2
    assert told in capsys.readouterr().err


def test_the_methods_are_the_folders_with_a_demo() -> None:
    assert "tsl" in methods_with_demo()


def test_an_interruption_is_told_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("jack_ray.methods.tsl.demo.run", interrupted)
    assert main(["demo", "tsl", str(tmp_path / "new")]) == 130
    assert capsys.readouterr().err == "Interrupted. Type the same command again.\n"
