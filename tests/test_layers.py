"""Who may import whom, read from the source text; nothing is imported to find out."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path

import pytest

pytestmark = pytest.mark.repository

ROOT = Path(__file__).parents[1]

ALLOWED = {
    "__init__": ("api",),
    "contract": ("contract",),
    "compose": ("compose", "contract", "methods.roles"),
    "expand": ("contract", "expand"),
    "stores": (),
    "spawn": ("contract", "spawn", "stores"),
    "upload": ("contract", "upload"),
    "place": ("compose", "contract", "expand", "place", "spawn", "upload"),
    "jobs_api": ("contract", "jobs_api"),
    "submit": ("contract", "jobs_api", "place"),
    "mlflow_server": ("compose", "contract", "upload"),
    "launch": ("__version__", "compose", "contract", "expand", "place", "reproduce"),
    "reproduce": ("compose", "contract", "expand", "place", "reproduce", "upload"),
    "apply": ("apply", "compose", "contract", "spawn", "upload"),
    "registry": ("__version__", "apply", "compose", "contract", "methods", "registry", "upload"),
    "promote": ("apply", "registry"),
    "served": ("contract", "served", "spawn"),
    "serving": ("apply", "compose", "contract", "place", "served", "serving", "spawn", "upload"),
    "serve": ("apply", "serving"),
    "test": ("apply", "contract"),
    "predict": ("apply", "contract"),
    "prepare": ("contract", "spawn"),
    "verify": ("contract", "spawn"),
    "data": ("compose", "contract", "data", "methods", "place", "spawn"),
    "warm": ("compose", "contract", "data", "place", "spawn"),
    "sweeps": ("compose", "contract", "sweeps", "upload"),
    "api": ("compose", "contract", "expand", "launch", "sweeps"),
    "docs": ("compose", "contract"),
    "score": ("contract", "methods"),
    "train": ("contract", "methods", "stores", "train"),
    "methods": ("contract", "methods"),
}
"""Part of the package -> the parts that it may import."""

OWNERS = {
    "ray": (
        "place.on_ray",
        "place.ray_*",
        "place.local_ray",
        "data.preparing.pool",
        "jobs_api.client",
        "serving.replica",
        "serving.cluster",
    ),
    "fastapi": ("serving.door",),
    "starlette": ("serving.*",),
    "uvicorn": ("serving.http",),
    "python_multipart": ("serving.form",),
    "swagger_ui_bundle": ("serving.door",),
    "aiohttp": ("jobs_api.client",),  # the errors of Ray's client
    "yaml": ("jobs_api.file", "compose.from_run"),
    "hydra": ("compose.*", "expand.space"),
    "omegaconf": ("compose.*",),
    "optuna": ("expand.*",),
    "cmaes": ("expand.evolution",),
    "sklearn": ("expand.gaussian",),
    "scipy": ("expand.draw", "expand.gaussian"),
    "threadpoolctl": ("expand.*",),
    "mlflow": ("upload.mlflow_store", "upload.mlflow_runs", "upload.mlflow_registry", "served.model"),
    "sqlalchemy": ("upload.mlflow_store",),  # the errors of MLflow's own store
    "rich": ("place.screen", "place.live_table", "sweeps.*", "prepare", "data.*"),
    "pandas": ("sweeps.files", "api", "upload.mlflow_registry", "served.model"),
    "psutil": ("spawn.*",),
    "pyarrow": ("stores", "spawn.storage", "spawn.compiled"),
    "fsspec": ("stores",),
    "jittor": ("train.*", "methods.*"),
    "jittor_utils": ("methods.shared.onednn",),
    "mpi4py": ("train.ranks",),
    "safetensors": ("train.*",),
    "matplotlib": ("methods.*", "data.*", "sweeps.learning_picture", "sweeps.overview_picture"),
    "av": ("methods.*", "data.*"),
    "PIL": ("methods.*", "data.*"),
    "soundfile": ("methods.*", "data.*"),
    "h5py": ("methods.*", "data.*"),
    "librosa": ("methods.*", "data.*"),
    "soxr": ("methods.shared.sound_stream",),
    "numba": ("methods.shared.picture_sums",),
    "numpy": (
        "train.*",
        "methods.*",
        "data.*",
        "expand.evolution",
        "expand.gaussian",
        "registry.bootstrap",
        "registry.statistics",
        "registry.segments",
    ),
    "torch": (),
}
"""Library -> the only modules that import it."""

BEYOND_THE_WALL = frozenset({"ray", "hydra", "omegaconf", "mlflow", "optuna", "rich"})
"""What no rank ever loads."""

RANKS_ONLY = frozenset({"jittor", "jittor_utils", "mpi4py", "safetensors"})
"""What no process on the left of the wall ever loads."""

WITHOUT_JITTOR = ("config", "files", "data", "metric", "demo")
"""Files of a method that processes without Jittor import (methods/roles.py)."""

Sources = Mapping[str, str]


def sources() -> dict[str, str]:
    """Module name below `jack_ray` -> its text."""
    package = ROOT / "jack_ray"
    found = {}
    for path in sorted(package.rglob("*.py")):
        name = ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__")
        found[name] = path.read_text(encoding="utf-8")
    return found


def imports(module: str, text: str, known: Sources) -> Iterator[tuple[int, str]]:
    """(line, full name) of everything a module imports, also inside functions; relative imports included."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = ["jack_ray", *module.split(".")][: -node.level] if node.level else []
            origin = ".".join([*parents, node.module or ""]).strip(".")
            for alias in node.names:
                full = f"{origin}.{alias.name}"
                is_module = full.removeprefix("jack_ray.") in known or origin == "jack_ray"
                yield node.lineno, full if is_module else origin


def violations(known: Sources) -> list[str]:
    """One readable line for each import that the tables forbid."""
    found = []
    for module, text in known.items():
        for line, name in dict.fromkeys(imports(module, text, known)):
            reason = _forbidden(module, name)
            if reason:
                found.append(f"jack_ray/{module.replace('.', '/')}.py:{line} imports {name}: {reason}")
    return found


def _forbidden(module: str, name: str) -> str:
    part = module.partition(".")[0]
    if name.startswith("jack_ray."):
        inner = name.removeprefix("jack_ray.")
        mine = module.split(".")[:2]
        theirs = inner.split(".")[:2]
        if part == theirs[0] == "methods" and theirs[1] not in (mine[1], "shared", "roles"):
            return "a method knows itself, methods.shared and methods.roles"
        if not any(inner == allowed or inner.startswith(f"{allowed}.") for allowed in ALLOWED[part]):
            return f"{part} may import {', '.join(ALLOWED[part]) or 'nothing'}"
        return ""
    library = name.partition(".")[0]
    if library in sys.stdlib_module_names or library == "jack_ray":
        return ""
    if library not in OWNERS:
        return "a library that no part owns"
    if not any(fnmatch(module, owner) for owner in OWNERS[library]):
        return f"only {', '.join(OWNERS[library]) or 'nobody'} may"
    return ""


def reach(start: str, known: Sources) -> dict[str, str]:
    """Library -> the module that imports it, for all that importing `start` can ever load by name."""
    libraries: dict[str, str] = {}
    waiting, seen = [start], {start}
    while waiting:
        module = waiting.pop()
        for _, name in imports(module, known[module], known):
            inner = name.removeprefix("jack_ray.")
            if not name.startswith("jack_ray"):
                libraries.setdefault(name.partition(".")[0], module)
            elif inner in known and inner not in seen:
                seen.add(inner)
                waiting.append(inner)
    return libraries


def is_right(module: str) -> bool:
    """Whether a module belongs to the ranks."""
    return module.startswith("train") or (module.startswith("methods") and module.split(".")[-1] not in WITHOUT_JITTOR)


def test_every_import_is_allowed() -> None:
    assert violations(sources()) == []


def test_every_part_of_the_package_is_in_the_table() -> None:
    assert {name.partition(".")[0] for name in sources()} == set(ALLOWED)


def test_a_rank_can_never_load_what_the_driver_uses() -> None:
    known = sources()
    for module in known:
        if module.startswith(("train", "methods")):
            assert BEYOND_THE_WALL.isdisjoint(reach(module, known)), module


def test_the_driver_can_never_load_jittor() -> None:
    known = sources()
    for module in known:
        if not is_right(module):
            assert RANKS_ONLY.isdisjoint(reach(module, known)), (module, reach(module, known))


def test_a_methods_settings_need_the_standard_library_alone() -> None:
    known = sources()
    configs = [module for module in known if fnmatch(module, "methods.*.config")]
    assert configs
    for module in [*configs, *(name for name in known if name.startswith("contract"))]:
        assert set(reach(module, known)) <= sys.stdlib_module_names, module


@pytest.mark.parametrize(
    ("module", "text", "told"),
    [
        ("train.loop", "import ray", "train/loop.py:1 imports ray: only place.on_ray"),
        ("train.loop", "def go():\n    from hydra import compose", "train/loop.py:2 imports hydra"),
        ("spawn.tree", "from jack_ray.train import loop", "imports jack_ray.train.loop: spawn may import"),
        ("spawn.tree", "from ..train import loop", "imports jack_ray.train.loop: spawn may import"),
        ("contract.files", "import numpy", "imports numpy: only train.*"),
        ("place.run", "import ray.util", "imports ray.util: only place.on_ray"),
        ("methods.tsl.loss", "from jack_ray.methods.other.model import Model", "a method knows itself"),
        ("launch", "import torch", "imports torch: only nobody may"),
        ("launch", "import requests", "a library that no part owns"),
    ],
)
def test_a_planted_import_is_caught_with_its_line(module: str, text: str, told: str) -> None:
    planted = violations({"methods.other.model": "", "train.loop": "", module: text})
    assert len(planted) == 1
    assert told in planted[0]


def test_a_planted_import_is_caught_on_the_far_side_of_another_module() -> None:
    planted = {**sources(), "contract.files": "import jittor"}
    assert reach("launch", planted)["jittor"] == "contract.files"


def test_every_model_composes_where_jittor_cannot_be_imported() -> None:
    program = """
import sys
for name in ("jittor", "mpi4py", "ray", "mlflow", "torch"):
    sys.modules[name] = None
from jack_ray.compose import read_command
from jack_ray.compose.load import groups
from jack_ray.compose.plan import compose_base
for option in groups()["model"]:
    nodes, _ = compose_base(read_command([f"model={option}", "cluster.ranks=1"]))
    print(option, nodes["model"]["name"])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "tsl_small tsl" in done.stdout
