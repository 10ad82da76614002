"""What a served model may be asked about, and what its table looks like."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from jack_ray.contract.errors import DataError
from jack_ray.served.root import ROOT, confined, input_root
from jack_ray.served.rows import asked, columns, table


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "inputs"
    folder.mkdir()
    (folder / "clip.mp4").touch()
    monkeypatch.setenv(ROOT, str(folder))
    return folder


def test_a_path_below_the_folder_of_inputs_is_allowed_in_either_spelling(root: Path) -> None:
    expected = (root / "clip.mp4").resolve()
    assert confined("clip.mp4", root.resolve()) == confined(str(root / "clip.mp4"), root.resolve()) == expected


@pytest.mark.parametrize("text", ["/etc/passwd", "../secret", "a/../../secret", "link", "", "a\0b"])
def test_a_path_that_leads_elsewhere_is_refused_whether_or_not_it_is_there(root: Path, text: str) -> None:
    (root / "link").symlink_to("/etc")
    with pytest.raises(DataError, match=f"outside of the folder of inputs; expected a file below.*\n.*{ROOT}=FOLDER"):
        confined(text, root.resolve())


def test_without_a_word_the_folder_is_where_the_process_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ROOT, raising=False)
    monkeypatch.chdir(tmp_path)
    assert input_root() == tmp_path.resolve()


def test_a_refused_path_spoils_no_other_and_names_stay_as_they_were_asked(root: Path) -> None:
    seen: list[Sequence[str]] = []

    def answer(paths: Sequence[str]) -> list[dict[str, Any]]:
        seen.append(paths)
        return [{"input": path, "label": "joy", "probabilities": {"joy": 1.0}} for path in paths]

    rows = asked(["/etc/passwd", "clip.mp4"], answer)
    assert seen == [[str((root / "clip.mp4").resolve())]]
    assert rows[0]["input"] == "/etc/passwd"
    assert "outside of the folder of inputs" in rows[0]["error"]
    assert rows[1] == {"input": "clip.mp4", "label": "joy", "probabilities": {"joy": 1.0}}
    assert table(rows[1:], columns(False)) == [["clip.mp4", "joy", {"joy": 1.0}, None]]


def test_segments_are_a_column_where_the_method_finds_them() -> None:
    assert columns(True) == ("input", "label", "probabilities", "segments", "error")
    assert columns(False) == ("input", "label", "probabilities", "error")
