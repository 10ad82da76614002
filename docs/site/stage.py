"""Lays the pages of one language out as Sphinx reads them: links changed to addresses, diagrams drawn."""

import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from docs.site.diagrams import drawn
from docs.site.pages import CHINESE, ENGLISH, ROOT, Language, addresses, navigation, sources, translation

FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?P<before>!?\[[^\]]*\])\((?P<target>[^)\s]+)\)")
ENGLISH_ONLY = "> 本页由代码生成或面向开发者，只有英文版。\n\n"


def stage(folder: Path, language: Language, generated: Mapping[str, str]) -> None:
    """Write every page of a language below a folder; generated: address -> text. Raises ValueError on a dead link."""
    for address, path in sources().items():
        own = translation(path) if language == CHINESE else path
        source = own if own.exists() else path
        text = staged(source.read_text("utf-8"), source, address, folder)
        if address == "decisions/index":
            text += _contents("Decisions", [other for other in sources() if re.match(r"decisions/\d", other)], address)
        _write(folder, address, text + _home(address, language), language if own.exists() else None)
    for address, text in generated.items():
        _write(folder, address, text, None if language == CHINESE else ENGLISH)


def _write(folder: Path, address: str, text: str, language: Language | None) -> None:
    """language: that of the text, None for an English page in the Chinese site."""
    page = folder / f"{address}.md"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text if language else _noted(text), "utf-8")


def _noted(text: str) -> str:
    """An English page with a note below its title that says so."""
    title, newline, rest = text.lstrip().partition("\n")
    if title.startswith("<!--"):
        return title + newline + _noted(rest)
    return f"{title}{newline}\n{ENGLISH_ONLY}{rest}"


def _home(address: str, language: Language) -> str:
    """The navigation, which Sphinx reads from the first page."""
    if address != "index":
        return ""
    return "".join(_contents(part.title[language.name], part.pages, address) for part in navigation())


def _contents(title: str, pages: "list[str] | tuple[str, ...]", address: str) -> str:
    names = "\n".join(os.path.relpath(page, os.path.dirname(address) or ".") for page in pages)
    return f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{names}\n```\n"


def staged(text: str, source: Path, address: str, folder: Path) -> str:
    """A page as Sphinx reads it; folder: where drawn diagrams and linked files are put."""
    depth = "../" * address.count("/")

    def diagram(match: re.Match[str]) -> str:
        if match["kind"] != "mermaid":
            return match[0]
        name = drawn(match["text"], folder / "diagrams")
        words = ", ".join(dict.fromkeys(re.findall(r'"([^"]+)"', match["text"])))
        return f'<div class="diagram">\n\n```{{image}} {depth}diagrams/{name}\n:alt: "{words}"\n```\n\n</div>'

    def link(match: re.Match[str]) -> str:
        return f"{match['before']}({_target(match['target'], source, address, folder)})"

    return _outside_of_fences(text, lambda prose: LINK.sub(link, prose), diagram)


def _outside_of_fences(text: str, change: Callable[[str], str], fence: Callable[[re.Match[str]], str]) -> str:
    parts, place = [], 0
    for match in FENCE.finditer(text):
        parts += [change(text[place : match.start()]), fence(match)]
        place = match.end()
    return "".join([*parts, change(text[place:])])


def _target(target: str, source: Path, address: str, folder: Path) -> str:
    """Where a link of a page leads in the site: another page's draft, a heading, or a copy of a file."""
    name, hash_sign, anchor = target.partition("#")
    if not name or re.match(r"[a-z]+:", target):
        return target
    path = (source.parent / name).resolve()
    here = Path(address).parent
    if path in addresses():
        return os.path.relpath(f"{addresses()[path]}.md", here) + hash_sign + anchor
    if not path.is_file():
        raise ValueError(f"{source.relative_to(ROOT)}: {target} leads nowhere")
    copy = folder / "files" / path.relative_to(ROOT)
    copy = copy.with_name(f"{copy.name}.txt") if not copy.suffix else copy
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, copy)
    return os.path.relpath(copy.relative_to(folder), here)
