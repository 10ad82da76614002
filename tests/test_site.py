"""The documentation site: it builds without a complaint, stands alone, and is found in both languages."""

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import quickjs

from docs.site import stage
from docs.site.pages import CHINESE, ENGLISH, LANGUAGES, ROOT, navigation, sources
from docs.site.reference import COMMANDS, PYTHON, SILENT
from docs.site.words import BigramChinese, bigrams

pytestmark = pytest.mark.repository


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site, built as `make docs` does; any complaint of Sphinx fails here."""
    output = tmp_path_factory.mktemp("site")
    done = subprocess.run([sys.executable, "-m", "docs.site", str(output)], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"open {output / 'index.html'}\n")
    return output


class Loads(HTMLParser):
    """Collects what a page loads by itself: scripts, styles, pictures, frames, but not links that are clicked."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """HTMLParser calls this."""
        given = dict(attrs)
        if tag != "a" and not (tag == "link" and given.get("rel") in ("next", "prev", "search", "index")):
            self.found += [value for name in ("src", "href", "srcset", "data") if (value := given.get(name))]


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 100
    for page in pages:
        loads = Loads()
        loads.feed(page.read_text("utf-8"))
        assert [one for one in loads.found if re.match(r"(\w+:)?//", one)] == [], page
    for style in [*site.rglob("*.css"), *site.rglob("*.svg")]:
        text = style.read_text("utf-8")
        assert (
            re.findall(r"""url\(\s*["']?(?:\w+:)?//[^)]*|@import[^;]*|(?:xlink:)?href="(?:\w+:)?//[^"]*""", text) == []
        )
    for script in site.rglob("*.js"):
        text = script.read_text("utf-8")
        assert re.findall(r"""(?:fetch|import|src\s*=|open)\s*\(?\s*["'`](?:\w+:)?//[^"'`]*""", text) == [], script


def test_the_guard_against_loading_from_elsewhere_sees_it() -> None:
    loads = Loads()
    loads.feed('<a href="https://a"></a><script src="https://b"></script><link rel="stylesheet" href="//c">')
    assert loads.found == ["https://b", "//c"]


def test_every_page_is_there_in_both_languages_and_leads_to_the_other(site: Path) -> None:
    addresses = [*sources(), "reference/commands", *PYTHON]
    for address in addresses:
        english, chinese = site / f"{address}.html", site / "zh" / f"{address}.html"
        for here, there in ((english, chinese), (chinese, english)):
            links = re.findall(r'href="([^"]+)" hreflang', here.read_text("utf-8"))
            assert [(here.parent / link).resolve() for link in links] == [there], here
        assert '<html class="no-js" lang="zh' in chinese.read_text("utf-8")
        assert "On this page" not in chinese.read_text("utf-8")


def test_the_navigation_names_every_page_once() -> None:
    named = [page for part in navigation() for page in part.pages]
    assert len(named) == len(set(named))
    decisions = {address for address in sources() if re.match(r"decisions/\d", address)}
    assert set(named) == {*sources(), "reference/commands", *PYTHON} - decisions - {"index"}


def test_every_command_is_in_the_reference(site: Path) -> None:
    """Those of one process behind the wall are not typed by people."""
    typed = {path.stem for path in (ROOT / "jack_ray").glob("*.py") if "__main__" in path.read_text("utf-8")}
    typed |= {path.parent.name for path in (ROOT / "jack_ray").glob("*/__main__.py")} - {"train"}
    assert set(COMMANDS) == typed
    page = (site / "reference" / "commands.html").read_text("utf-8")
    for command in COMMANDS:
        assert f"<h2>jack_ray.{command}<" in page
    for command in set(COMMANDS) - set(SILENT):
        assert f"python -m jack_ray.{command}" in page
    for own in ("data prepare", "data check", "sweeps why", "sweeps compare"):
        assert f"<h3>jack_ray.{own}<" in page


def test_the_reference_of_python_has_signatures_and_docstrings(site: Path) -> None:
    page = re.sub(r"<[^>]+>", "", (site / "reference" / "python.html").read_text("utf-8"))
    assert "Sweep.id: str" in page
    assert "Sweep.stop(trial: str | None=None) -&gt; str" in page
    assert "It goes on when this process ends; stop ends it." in page


def test_diagrams_are_pictures_that_need_no_script(site: Path) -> None:
    page = (site / "architecture.html").read_text("utf-8")
    names = re.findall(r'src="_images/([0-9a-f]{12}\.svg)"', page)
    assert len(names) == (ROOT / "docs" / "architecture.md").read_text("utf-8").count("```mermaid") == 3
    drawn = [(site / "_images" / name).read_text("utf-8") for name in names]
    assert "expand: the search" in drawn[0]
    assert all("<script" not in svg and 'width="100%"' not in svg.partition(">")[0] for svg in drawn)


@pytest.mark.parametrize(
    ("text", "words", "asked"),
    [
        ("训练模型", ["训练", "练模", "模型"], ["训练", "模型"]),
        ("检查点", ["检查", "查点"], ["检查", "查点"]),
        ("用 mpirun 启动进程", ["用", "mpirun", "启动", "动进", "进程"], ["mpirun", "启动", "进程"]),
        ("train.lr的值", ["train", "lr", "的值"], ["train", "lr", "的值"]),
        ("a_b 3", ["a_b", "3"], ["a_b", "3"]),
        ("", [], []),
    ],
)
def test_a_question_is_split_in_the_browser_so_that_pages_have_its_words(
    text: str, words: list[str], asked: list[str]
) -> None:
    assert list(bigrams(text)) == words
    browser = quickjs.Context()
    browser.eval(BigramChinese.js_splitter_code)
    assert json.loads(browser.eval(f"JSON.stringify(splitQuery({json.dumps(text)}))")) == asked
    assert set(asked) <= set(words)


def test_words_of_the_chinese_pages_are_found(site: Path) -> None:
    index = (site / "zh" / "searchindex.js").read_text("utf-8")
    for word in ("训练", "检查", "视频"):
        assert f"{json.dumps(word)}:" in index
    assert "splitQuery" in (site / "zh" / "_static" / "language_data.js").read_text("utf-8")
    assert "window.Stemmer = EnglishStemmer" in (site / "zh" / "_static" / "language_data.js").read_text("utf-8")


def test_links_are_changed_to_addresses_and_code_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "ROOT", tmp_path)
    source = tmp_path / "docs" / "x.md"
    source.parent.mkdir()
    (tmp_path / "job.sh").write_text("true")
    search = os.path.relpath(ROOT / "docs" / "search.md", source.parent)
    source.write_text(f"[a]({search}#early-stopping) [c](https://d) [e](../job.sh)\n```\n[a](b.md)\n```\n")
    rest = "[c](https://d) [e](../files/job.sh)\n```\n[a](b.md)\n```\n"
    english = stage.staged(source, "tutorials/x", tmp_path / "out", ENGLISH)
    assert english == f"[a](../searches.md#early-stopping) {rest}"
    assert (tmp_path / "out" / "files" / "job.sh").exists()
    assert stage.staged(source, "tutorials/x", tmp_path / "out", CHINESE) == f"[a](../searches.md#提前停止) {rest}"
    source.write_text("[a](nowhere.md)")
    with pytest.raises(ValueError, match=r"docs/x.md: nowhere.md leads nowhere"):
        stage.staged(source, "tutorials/x", tmp_path / "out", ENGLISH)


def test_a_missing_renderer_is_told_with_what_to_type(tmp_path: Path) -> None:
    script = "import sys; sys.modules['mermaidx'] = None; from docs.site.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: mermaidx is missing. Type: make docs, or pip install -c constraints.txt")


def test_each_language_has_a_folder_of_its_own() -> None:
    assert [language.folder for language in LANGUAGES] == [".", "zh"]
