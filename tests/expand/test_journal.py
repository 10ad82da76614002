"""A search's journal on a disk that fills up."""

import json
import os
from pathlib import Path

import pytest

from jack_ray.expand.journal import open_journal


def test_a_full_disk_leaves_no_half_line_before_the_next_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.log"
    storage = open_journal(path)
    study = storage.create_new_study([], "sweep")
    before = path.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            storage.set_study_user_attr(study, "key", "value")
    assert path.read_bytes() == before
    storage.set_study_user_attr(study, "key", "value")
    assert [json.loads(line) for line in path.read_text().splitlines()]
    assert open_journal(path).get_study_user_attrs(study) == {"key": "value"}
