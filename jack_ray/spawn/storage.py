"""Checkpoints in a place that all machines reach, where they share no disk: a mounted folder or an object store.

`<storage>/trials/<trial id>/checkpoints/step-00000100/..`, as in a trial's folder. A checkpoint's manifest is
written last and read first: without it the checkpoint is not there.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow
from pyarrow import fs

from jack_ray.contract.errors import PlaceError
from jack_ray.contract.paths import TrialFolder
from jack_ray.stores import open_store

_MANIFEST = "manifest.json"
_BLOCK = 8 << 20


class Storage:
    """The stored checkpoints of one trial.

    Raises PlaceError for an address that cannot be read as one, or a store that does not answer.
    """

    def __init__(self, uri: str, trial_id: str) -> None:
        self._uri = uri
        with self._told("be reached"):
            self._files, root = open_store(uri)
        self._root = f"{root.rstrip('/')}/trials/{trial_id}/checkpoints"

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except (OSError, pyarrow.ArrowException) as error:
            raise PlaceError(f"site.storage={self._uri} cannot {what}: {error}") from error

    def push(self, folder: TrialFolder) -> None:
        """Store every whole checkpoint that is not there yet, and drop those that the trial dropped."""
        with self._told("be written to"):
            stored = self._stored()
            present = _whole(folder.checkpoints)
            for step in sorted(present - stored):
                try:
                    self._push_step(folder.checkpoints / step)
                except FileNotFoundError:
                    self._drop(step)  # pruned meanwhile
            for step in stored - present:
                if step < max(present, default=""):
                    self._drop(step)

    def pull(self, folder: TrialFolder) -> None:
        """Bring every stored checkpoint that the folder lacks, and drop those that the trial dropped elsewhere."""
        with self._told("be read"):
            stored, present = self._stored(), _whole(folder.checkpoints)
            for step in sorted(stored - present):
                self._pull_step(step, folder.checkpoints / step)
            for step in present - stored:
                if step < max(stored, default=""):
                    shutil.rmtree(folder.checkpoints / step, ignore_errors=True)

    def _stored(self) -> set[str]:
        found = self._files.get_file_info(fs.FileSelector(self._root, allow_not_found=True, recursive=True))
        return {Path(info.path).parent.name for info in found if Path(info.path).name == _MANIFEST}

    def _push_step(self, source: Path) -> None:
        target = f"{self._root}/{source.name}"
        self._files.create_dir(target, recursive=True)
        for path in sorted(source.iterdir(), key=lambda path: path.name == _MANIFEST):
            with path.open("rb") as read, self._files.open_output_stream(f"{target}/{path.name}") as written:
                shutil.copyfileobj(read, written, _BLOCK)

    def _pull_step(self, step: str, target: Path) -> None:
        temporary = target.with_name(f".{step}.pull")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        try:
            for info in self._files.get_file_info(fs.FileSelector(f"{self._root}/{step}")):
                with (
                    self._files.open_input_stream(info.path) as read,
                    (temporary / Path(info.path).name).open("wb") as written,
                ):
                    shutil.copyfileobj(read, written, _BLOCK)
            shutil.rmtree(target, ignore_errors=True)
            temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _drop(self, step: str) -> None:
        self._files.delete_dir(f"{self._root}/{step}")


def _whole(checkpoints: Path) -> set[str]:
    return {path.parent.name for path in checkpoints.glob(f"step-[0-9]*/{_MANIFEST}")}
