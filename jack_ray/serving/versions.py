"""Which version an alias means, asked of MLflow's registry again and again."""

import threading
from pathlib import Path

from jack_ray.contract.checkpoint import ABOUT, MODEL, About, load_about
from jack_ray.contract.errors import JackRayError
from jack_ray.serving.question import Wanted


class Versions:
    """The versions of a registered model. Raises JackRayError."""

    def __init__(self, model: str, name: str, uri: str, cache: Path) -> None:
        """cache: where checkpoints are downloaded to."""
        from jack_ray.upload.mlflow_registry import Registry  # MLflow takes seconds to import

        self._registry = Registry(uri)
        self._model = model
        self._name = name
        self._cache = cache

    def current(self) -> str:
        """The number of the version that is meant now."""
        return self._registry.version_of(self._model)

    def fetched(self, version: str) -> Wanted:
        """A version with its checkpoint on this machine."""
        folder = self._registry.checkpoint(f"models:/{self._name}/{version}", self._cache)
        load_about(folder)
        return Wanted(version, str(folder), (MODEL, ABOUT))


def about(wanted: Wanted) -> About:
    """Which model it is. Raises JackRayError."""
    return load_about(Path(wanted.checkpoint))


class Watcher:
    """Asks for the current version in a thread, so that an MLflow that is away stops nobody."""

    def __init__(self, versions: Versions, known: Wanted, poll_s: float | None) -> None:
        """poll_s: between two questions; None: a version was typed, and nothing is asked."""
        self._versions = versions
        self._known = known
        self._ended = threading.Event()
        self.trouble = ""
        """Why MLflow could not be asked, or the version not be fetched; empty: it could."""
        if poll_s is not None:
            threading.Thread(target=self._watch, args=(poll_s,), name="versions", daemon=True).start()

    @property
    def wanted(self) -> Wanted:
        """The version that was meant when MLflow was last asked, whole on this machine."""
        return self._known

    def stop(self) -> None:
        """Ask no more."""
        self._ended.set()

    def _watch(self, poll_s: float) -> None:
        while not self._ended.wait(poll_s):
            try:
                version = self._versions.current()
                if version != self._known.version:
                    self._known = self._versions.fetched(version)
                self.trouble = ""
            except (JackRayError, OSError) as error:  # a full disk does not stop the watch
                self.trouble = str(error)
