"""Every line that the documentation has people type is held by a test, or named here with a reason."""

import re
import shlex
from pathlib import Path

import pytest

from jack_ray.compose import read_command
from jack_ray.compose.load import groups
from jack_ray.jobs_api.file import load_job
from jack_ray.submit import COMMANDS
from tests import test_docs, test_tutorials
from tests.tutorials import NOT_RUN, ROOT, commands

pytestmark = pytest.mark.repository

READ = {
    "jack_ray.launch": "test_every_launch_in_the_documentation_would_run",
    "jack_ray.data": "test_every_data_command_in_the_documentation_is_understood",
    "jack_ray.score": "test_every_score_command_in_the_documentation_is_understood",
    "jack_ray.verify": "test_every_verify_command_in_the_documentation_is_understood",
    "jack_ray.sweeps": "test_every_command_about_sweeps_in_the_documentation_is_understood",
    "jack_ray.test": "test_every_use_of_a_trained_model_in_the_documentation_is_understood",
    "jack_ray.predict": "test_every_use_of_a_trained_model_in_the_documentation_is_understood",
    "jack_ray.promote": "test_every_promotion_in_the_documentation_is_understood",
    "jack_ray.serve": "test_every_server_in_the_documentation_is_understood",
    "make": "test_every_module_and_make_target_that_is_named_exists",
}
"""What a line begins with -> the test in tests/test_docs.py that reads or composes all of them."""

HERE = {
    "jack_ray.submit": "test_every_job_in_the_documentation_is_understood",
    "jack_ray.warm": "test_every_warming_in_the_documentation_names_a_model",
}

UPLOADS = "tests/test_tutorials.py sends the like of it"
NAMED = {
    'curl -H "Authorization: Bearer $TOKEN" -F file=@clip.mp4 http://127.0.0.1:8000/v1/predict': UPLOADS,
    'curl -H "Authorization: Bearer $TOKEN" -F file=@walk.bvh '
    "'http://127.0.0.1:8000/v1/predict?timeline=false'": UPLOADS,
    'curl -H "Authorization: Bearer $TOKEN" -F rgb=@rgb/6.npy -F mel=@logmfcc/6.npy -F fps=29.97 '
    "http://127.0.0.1:8000/v1/predict": UPLOADS,
    'curl -H "Authorization: Bearer $TOKEN" -H \'Content-Type: application/json\' -d \'{"path": "clips/6.mp4"}\' '
    "http://127.0.0.1:8000/v1/predict": UPLOADS,
    ". .venv/bin/activate": "the reader's shell",
    "mlflow ui": NOT_RUN["mlflow ui"],
    "ray get-auth-token --generate": "tests/cluster/test_ray_up.py has a token of its own",
    "ray up cluster.yaml": "tests/cluster/test_ray_up.py, on hosts of namespaces",
    "ray dashboard cluster.yaml": "opens a tunnel by ssh until somebody ends it",
    "python -m jack_ray.train runs/trials/ID/trial.json": "tests/training.py starts ranks so",
    "python -m benchmarks feature_cache --repeat 3 --threads 1 --only vaanet_small": "tests/test_benchmarks.py",
    "python3.11 -m venv answers && . answers/bin/activate": "tests/registry/test_served.py, in this one",
    "pip install mlflow==3.17.2 && export MLFLOW_TRACKING_URI=http://lab:5000": "the same",
    "mlflow artifacts download --artifact-uri models:/tsl@champion --dst-path champion": "the same",
    "pip install -r champion/requirements.txt": "the same",
    "export JACK_RAY_INPUT_ROOT=/data/VideoSenti": "the same",
    "mlflow models serve -m champion --env-manager local --port 5001": "the same",
    "curl -H 'Content-Type: application/json' http://127.0.0.1:5001/invocations      "
    '-d \'{"dataframe_split": {"columns": ["input"], "data": [["features/test/rgb/6_Demo_0006.npy"]]}}\'': "the same",
}
"""A line outside of the tutorials -> what holds it, or why nothing does."""

PAGES = [path for path in test_docs.PAGES if path.suffix == ".md" and path.parent.name != "tutorials"]


def begins(line: str) -> str:
    """The module of a line, or its program."""
    module = re.match(r"python -m ([\w.]+)", line)
    return module[1] if module else line.split(" ")[0]


@pytest.mark.parametrize("path", PAGES, ids=test_docs.name_of)
def test_every_command_is_held_by_a_test_or_named(path: Path) -> None:
    typed = commands(path.read_text("utf-8"))
    assert [line for line in typed if begins(line) not in READ | HERE and line not in NAMED] == []


def test_what_is_said_to_be_held_is() -> None:
    assert [name for name in READ.values() if not hasattr(test_docs, name)] == []
    assert [name for name in HERE.values() if name not in globals()] == []
    typed = {line for path in PAGES for line in commands(path.read_text("utf-8"))}
    assert set(NAMED) - typed == set()
    for reason in [*NAMED.values(), *NOT_RUN.values()]:
        assert [name for name in re.findall(r"tests/[\w/]+(?:\.py)?", reason) if not (ROOT / name).exists()] == []


def test_tutorials_are_run() -> None:
    """`NOT_RUN` says what of them is not, and is held to be true by the test beside it."""
    assert hasattr(test_tutorials, "test_every_tutorial_is_run_or_says_why_not")


def test_a_command_that_nobody_holds_is_seen() -> None:
    (line,) = commands("```\n$ ray microbenchmark   # fast\n  no command\n```\n\n```text\nray x\n```\n")
    assert line == "ray microbenchmark"
    assert begins(line) not in READ | HERE
    assert line not in NAMED


@pytest.mark.parametrize("typed", test_docs.commands("jack_ray.submit"))
def test_every_job_in_the_documentation_is_understood(typed: str) -> None:
    words = [word for word in shlex.split(typed, comments=True) if word not in ("-f", "FILE")]
    if words and words[0] not in COMMANDS and words[0] != "jobs/FILE.yaml":
        assert load_job(ROOT / words[0], words[1:]).entrypoint


@pytest.mark.parametrize("typed", test_docs.commands("jack_ray.warm"))
def test_every_warming_in_the_documentation_names_a_model(typed: str) -> None:
    words = shlex.split(typed)
    (models,) = [word.removeprefix("model=") for word in words if word.startswith("model=")]
    assert set(models.split(",")) <= set(groups()["model"])
    assert read_command([f"model={models.split(',')[0]}", *words[1:]]).faults == ()
