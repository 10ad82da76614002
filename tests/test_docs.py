"""The documentation holds: links lead somewhere, commands compose, generated pages are fresh."""

import importlib.util
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from jack_ray import __version__, docs, predict, test, verify
from jack_ray.apply.request import split_words
from jack_ray.compose.from_run import places
from jack_ray.compose.from_run import split_words as split_from_run
from jack_ray.compose.load import groups, load
from jack_ray.data.__main__ import _parser as data_parser
from jack_ray.data.__main__ import commands as data_commands
from jack_ray.launch import launch
from jack_ray.registry.request import read_request
from jack_ray.score import _parser as score_parser
from jack_ray.serving.request import read_request as read_server
from jack_ray.sweeps.__main__ import parser as sweeps_parser
from tests.documented_data import data_for, with_weights

pytestmark = pytest.mark.repository

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "jack_ray").rglob("*.md"), *ROOT.glob("jobs/*.sh")]
)
COMMAND = re.compile(r"python -m (jack_ray\.\w+)([^`\n]*)")
OF_TUTORIAL = re.compile(r"\b(model=|demo |run=)table\b")  # the method that tests/test_tutorials.py adds
MAKE = re.compile(r"(?:^|`)make ([a-z-]+)", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def name_of(path: Path) -> str:
    """A page's name in a test's id."""
    return str(path.relative_to(ROOT))


def prose(text: str) -> str:
    """A page without its code blocks."""
    return FENCE.sub("", text)


def anchors(text: str) -> set[str]:
    """What GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@cache
def reference() -> str:
    """The reference of settings, which takes a second to compose."""
    return docs.text()


def commands(module: str) -> list[str]:
    """Everything that any page tells people to type for a module, once each."""
    found = [match for path in PAGES for match in COMMAND.findall(path.read_text("utf-8"))]
    return sorted({words.strip() for name, words in found if name == module and not OF_TUTORIAL.search(words)} - {""})


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in LINK.findall(prose(path.read_text("utf-8"))):
        target, _, anchor = link.partition("#")
        if target.startswith("https://"):
            continue
        page = (path.parent / target).resolve() if target else path
        assert page.exists(), f"{name_of(path)}: {link}"
        if anchor:
            assert anchor in anchors(page.read_text("utf-8")), f"{name_of(path)}: {link}"


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_module_and_make_target_that_is_named_exists(path: Path) -> None:
    text = path.read_text("utf-8")
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [target for target in MAKE.findall(text) if target not in targets] == []
    modules = {module for module, _ in COMMAND.findall(text)}
    assert [module for module in modules if importlib.util.find_spec(module) is None] == []


@pytest.fixture(scope="module")
def data_sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where small data sets are made for what is typed."""
    return tmp_path_factory.mktemp("data_sets")


@pytest.mark.parametrize("typed", [typed for typed in commands("jack_ray.launch") if "from_run=" not in typed])
def test_every_launch_in_the_documentation_would_run(
    typed: str, demo_data: Path, data_sets: Path, tmp_path: Path
) -> None:
    words = [word.replace("NAME", "tsl") for word in shlex.split(typed, comments=True)]
    runs = tmp_path / "runs"
    runs.mkdir()
    words = with_weights(words, tmp_path / "weights")
    if not any(word.startswith("-") for word in words):
        words += [f"data.root={data_for(words, data_sets, demo_data)}", f"site.runs={runs}", "dry_run=true"]
    assert launch(words) == 0
    assert list(runs.iterdir()) == []


@pytest.mark.parametrize("typed", commands("jack_ray.data"))
def test_every_data_command_in_the_documentation_is_understood(typed: str) -> None:
    if typed not in data_commands():  # some pages name a command and show no use of it
        data_parser().parse_args(shlex.split(typed, comments=True))


@pytest.mark.parametrize("typed", commands("jack_ray.score"))
def test_every_score_command_in_the_documentation_is_understood(typed: str) -> None:
    score_parser().parse_args(shlex.split(typed, comments=True))


@pytest.mark.parametrize("typed", commands("jack_ray.verify"))
def test_every_verify_command_in_the_documentation_is_understood(typed: str) -> None:
    assert verify.parse(shlex.split(typed, comments=True)).method


@pytest.mark.parametrize("typed", commands("jack_ray.sweeps"))
def test_every_command_about_sweeps_in_the_documentation_is_understood(typed: str) -> None:
    sweeps_parser().parse_args(shlex.split(typed, comments=True))


@pytest.mark.parametrize("typed", [typed for typed in commands("jack_ray.launch") if "from_run=" in typed])
def test_every_training_again_in_the_documentation_is_understood(typed: str) -> None:
    run, words = split_from_run(shlex.split(typed, comments=True))
    assert run
    places(words)


@cache
def settings() -> set[str]:
    """Every setting of every model, as it is typed."""
    nodes = [load([f"model={option}"]) for option in groups()["model"]]
    return {f"{name}.{key}" for one in nodes for name, node in one.items() if isinstance(node, dict) for key in node}


@pytest.mark.parametrize("command", [test, predict], ids=["test", "predict"])
def test_every_use_of_a_trained_model_in_the_documentation_is_understood(command: ModuleType) -> None:
    assert commands(command.__name__)
    for typed in commands(command.__name__):
        values, rest = split_words(shlex.split(typed, comments=True), command.OWN)
        assert values["run"] or values["weights"], typed
        assert values.get("input", "a test has none"), typed
        keys = {word.partition("=")[0] for word in rest}
        assert keys <= settings() | {"model", "data"}, typed


@pytest.mark.parametrize("typed", commands("jack_ray.promote"))
def test_every_promotion_in_the_documentation_is_understood(typed: str) -> None:
    assert read_request(shlex.split(typed, comments=True)).name


@pytest.mark.parametrize("typed", [typed for typed in commands("jack_ray.serve") if typed != "--help"])
def test_every_server_in_the_documentation_is_understood(
    typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "VideoSenti").mkdir(parents=True)
    (tmp_path / "token.txt").write_text("a" * 43)
    (tmp_path / "token.txt").chmod(0o600)
    assert read_server(shlex.split(typed, comments=True)).name


@pytest.mark.parametrize("path", sorted(ROOT.glob("jobs/*.sh")), ids=name_of)
def test_every_job_is_a_sound_script(path: Path) -> None:
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
    assert path.stat().st_mode & 0o100
    assert "How long" in path.read_text("utf-8")


def test_the_reference_of_settings_is_up_to_date() -> None:
    assert docs.page_path().read_text("utf-8") == reference(), "type: python -m jack_ray.docs"


def test_the_reference_names_every_option_and_setting() -> None:
    page = reference()
    for path in (ROOT / "conf").glob("*/*.yaml"):
        if path.stem != "local" or path.parent.name != "site":
            assert f"`{path.parent.name}={path.stem}`" in page
    for name in (
        "lr",
        "cpc_sign",
        "val_fraction",
        "max_concurrent",
        "gpus_per_trial",
        "timeout_s",
        "give_up_s",
        "jittor",
    ):
        assert f"| `{name}` |" in page
    assert "| `clip_norm` | `null` | a number > 0, or null |" in page


def test_the_reference_does_not_depend_on_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JACK_RAY_JITTOR_HOME", "/elsewhere")
    assert "/elsewhere" not in docs.text()


def test_a_stale_reference_is_told_and_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "config.md"
    page.write_text("old")
    monkeypatch.setattr(docs, "page_path", lambda: page)
    assert docs.main(["--check"]) == 1
    assert f"{page} is stale: conf/ or a schema has changed. Type: python -m jack_ray.docs" in capsys.readouterr().err
    assert page.read_text() == "old"
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0


def test_an_installed_package_has_no_documentation_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docs, "config_folder", lambda: tmp_path / "conf")
    assert docs.main([]) == 2
    assert "the documentation is part of a checkout, not of the package" in capsys.readouterr().err


def test_both_readmes_have_the_same_headings_code_and_links() -> None:
    texts = [(ROOT / name).read_text("utf-8") for name in ("README.md", "README_CN.md")]
    levels = [re.findall(r"^(#+) ", prose(text), re.MULTILINE) for text in texts]
    assert levels[0] == levels[1]
    assert FENCE.findall(texts[0]) == FENCE.findall(texts[1])
    links = [{link for link in LINK.findall(text) if not link.startswith("README")} for text in texts]
    assert links[0] == links[1]


def test_every_decision_is_listed_and_complete() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = sorted(folder.glob("[0-9]*.md"))
    listed = LINK.findall((folder / "README.md").read_text("utf-8"))
    assert [page.name for page in pages] == listed
    for number, page in enumerate(pages, start=1):
        text = page.read_text("utf-8")
        assert text.startswith(f"# {number}. ")
        for part in ("**Question.**", "**Choice.**", "**Why.**", "**What would change it.**"):
            assert part in text, page.name


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == __version__
    assert citation["license"] == "Apache-2.0"
    assert all(reference["authors"] and reference["title"] for reference in citation["references"])


def test_the_changes_begin_with_this_version() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.findall(r"^## (\S+)", changes, re.MULTILINE)[0] == __version__


def said_in_the_code() -> str:
    """The source of the package, its string literals joined where they are continued on the next line."""
    text = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "jack_ray").rglob("*.py")))
    return re.sub(r"[\"']\s*\n\s*f?[\"']", "", text)


def test_every_message_that_is_explained_is_one_of_the_code() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    code = said_in_the_code()
    missing = []
    for row in re.findall(r"^\| (`.+?) \|", page, re.MULTILINE):
        for message in re.findall(r"`([^`]+)`", row):
            parts = [part.strip(" :();,") for part in re.split(r"\.\.\.|; expected |: ", message)]
            missing += [part for part in parts if len(part) > 9 and part not in code]
    assert missing == []
