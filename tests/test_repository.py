"""What holds for the files of the repository."""

import ast
import json
import re
import subprocess
import tomllib
from collections.abc import Collection
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
import yaml
from _pytest.mark.expression import Expression
from packaging.requirements import Requirement

from jack_ray.compose.load import config_folder, groups, load
from jack_ray.compose.schema import STAGES, typed
from jack_ray.contract.settings import read

pytestmark = pytest.mark.repository

ROOT = Path(__file__).parents[1]

MACHINE_PATHS = re.compile(r"/(?:work|root|home/(?!user\b|jack\b)\w+|mnt|scratch|Users)/\w")
REGISTRIES = re.compile(
    r"https?://[^\s\"']*(?:pypi\.org|pythonhosted|/simple\b|artifactory|nexus|devpi)", re.IGNORECASE
)
UNSAFE = {"pickle": ("load", "loads", "Unpickler"), "builtins": ("eval", "exec"), "os": ("system", "popen")}
RESTRICTED_READER = "jack_ray/train/restricted_pickle.py"


def tracked() -> list[Path]:
    """The text files of the repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:4096]]


@pytest.mark.parametrize(("pattern", "what"), [(MACHINE_PATHS, "a path of one machine"), (REGISTRIES, "a registry")])
def test_no_file_names_the_machine_it_was_written_on(pattern: re.Pattern[str], what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {what}: {match[0]}"
        for path in tracked()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if (match := pattern.search(line))
    ]
    assert found == []


@pytest.mark.parametrize("line", ["/root/x", "/home/anna/x", "see /" + "work/main", "/Users/me"])
def test_a_path_of_one_machine_is_seen(line: str) -> None:
    assert MACHINE_PATHS.search(line)


@pytest.mark.parametrize("line", ["/home/user/x", "framework/x", "/data/VideoSenti", "/proc/1", "https://x.org/work"])
def test_other_paths_pass(line: str) -> None:
    assert not MACHINE_PATHS.search(line)


def pins() -> dict[str, str]:
    """Package -> version, from constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def normal(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_pins_are_names_and_versions_and_nothing_else() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.+!]*", line)] == []
    assert len({normal(line.split("==")[0]) for line in lines}) == len(lines)


def test_every_requirement_is_pinned_to_a_version_that_it_allows() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    known = {normal(name): version for name, version in pins().items()}
    for line in wanted:
        requirement = Requirement(line)
        assert normal(requirement.name) in known, f"{line} has no pin"
        assert requirement.specifier.contains(known[normal(requirement.name)]), line


def unsafe_calls(text: str) -> list[str]:
    """Calls that run what they are given."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        module, _, function = name.rpartition(".")
        if function in UNSAFE.get(module or "builtins", ()):
            found.append(f"{node.lineno} {name}")
        if any(keyword.arg == "allow_pickle" and ast.unparse(keyword.value) != "False" for keyword in node.keywords):
            found.append(f"{node.lineno} allow_pickle")
        if any(keyword.arg == "shell" and ast.unparse(keyword.value) != "False" for keyword in node.keywords):
            found.append(f"{node.lineno} shell")
    return found


def test_nothing_in_the_package_runs_what_it_reads() -> None:
    found = {
        name: calls
        for path in sorted((ROOT / "jack_ray").rglob("*.py"))
        if (name := str(path.relative_to(ROOT))) != RESTRICTED_READER
        and (calls := unsafe_calls(path.read_text("utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "text", ["pickle.load(f)", "eval('1')", "np.load(f, allow_pickle=True)", "run('x', shell=True)", "os.system('x')"]
)
def test_a_call_that_runs_what_it_reads_is_seen(text: str) -> None:
    assert len(unsafe_calls(text)) == 1


@pytest.mark.parametrize("text", ["np.load(f, allow_pickle=False)", "json.load(f)", "model.eval()"])
def test_other_calls_pass(text: str) -> None:
    assert unsafe_calls(text) == []


STAGES_OF_TESTS = re.compile(r"^(QUICK|PAIRED|ALONE) := (.+)$", re.MULTILINE)


def chooses(expression: str, marks: Collection[str]) -> bool:
    """Whether `pytest -m` takes a test with these marks."""

    def is_there(name: str, /, **_: str | int | bool | None) -> bool:
        return name in marks

    return Expression.compile(expression).evaluate(is_there)


def test_every_test_is_run_once_whatever_its_marks() -> None:
    makefile = (ROOT / "Makefile").read_text()
    stages = dict(STAGES_OF_TESTS.findall(makefile))
    recipe = makefile.partition("\ntest: ")[2].partition("\n\n")[0]
    assert [recipe.count(f'-m "$({name})"') for name in stages] == [1, 1, 1]
    known = ("rank", "ray", "mlflow", "cluster", "alone")
    for count in range(len(known) + 1):
        for marks in combinations(known, count):
            assert sum(chooses(expression, marks) for expression in stages.values()) == 1, marks


CHOICES = [
    (group, option, model)
    for group, options in groups().items()
    if group not in ("model", "data", "train")
    for option, model in product(options, groups()["model"])
]


@pytest.mark.parametrize(("group", "option", "model"), CHOICES)
def test_every_option_composes_with_every_model_and_fits_its_schema(group: str, option: str, model: str) -> None:
    nodes = load([f"model={model}", f"{group}={option}", "cluster.ranks=1"])
    config, faults = typed(nodes)
    assert [str(fault) for fault in faults] == []
    assert config is not None
    assert set(nodes[group]) == set(STAGES[group].__dataclass_fields__)


@pytest.mark.parametrize("option", groups()["train"])
def test_every_recipe_fits_its_schema(option: str) -> None:
    node = load(["model=tsl", f"train={option}"])["train"]
    assert read(STAGES["train"], node, "train")[1] == []
    assert set(node) == set(STAGES["train"].__dataclass_fields__)


def test_every_file_of_the_config_is_an_option_or_the_root() -> None:
    found = {path.relative_to(config_folder()) for path in config_folder().rglob("*") if path.is_file()}
    files = {path for path in found if path.suffix != ".example"}  # `ray up`'s
    options = {Path(group) / f"{option}.yaml" for group, options in groups().items() for option in options}
    assert files == options | {Path("config.yaml")}


def test_no_setting_is_written_twice_in_a_file() -> None:
    class Strict(yaml.SafeLoader):
        """Refuses a key that comes twice, which YAML readers otherwise take the last of."""

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
        keys = [loader.construct_object(key) for key, _ in node.value]
        assert len(set(keys)) == len(keys), keys
        return loader.construct_mapping(node, deep=True)

    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    for path in config_folder().rglob("*.yaml"):
        yaml.load(path.read_text(), Strict)


def test_golden_files_are_sound_json() -> None:
    for path in (ROOT / "jack_ray").rglob("golden/*.json"):
        assert isinstance(json.loads(path.read_text()), dict)
