"""Which pages the site has, where each comes from, and what its address is."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
TRANSLATED = ROOT / "docs" / "zh"
ADDRESSES = {"decisions/README": "decisions/index", "search": "searches"}  # Sphinx's own search.html lies there


@dataclass(frozen=True)
class Language:
    """name: of its folder of drafts. folder: in the site. sphinx: Sphinx's name of it. title: of the site."""

    name: str
    folder: str
    sphinx: str
    title: str


ENGLISH = Language("en", ".", "en", "jack_ray")
CHINESE = Language("zh", "zh", "zh_CN", "jack_ray 文档")
LANGUAGES = (ENGLISH, CHINESE)


@dataclass(frozen=True)
class Part:
    """A heading of the navigation in both languages, and the addresses of its pages."""

    title: dict[str, str]
    pages: tuple[str, ...]


@cache
def navigation() -> tuple[Part, ...]:
    """The parts of nav.yaml; decisions are those that lie in their folder."""
    written = yaml.safe_load((Path(__file__).parent / "nav.yaml").read_text("utf-8"))
    parts = [Part(part["title"], tuple(part["pages"])) for part in written]
    assert all(set(part.title) == {language.name for language in LANGUAGES} for part in parts)
    return tuple(parts)


@cache
def sources() -> dict[str, Path]:
    """Address of a page -> its English file. Generated pages are not among them."""
    found = {"index": ROOT / "README.md", "changelog": ROOT / "CHANGELOG.md", "guide": ROOT / "docs" / "index.md"}
    for path in sorted((ROOT / "docs").rglob("*.md")):
        if not path.is_relative_to(TRANSLATED) and path not in found.values():
            address = path.relative_to(ROOT / "docs").with_suffix("").as_posix()
            found[ADDRESSES.get(address, address)] = path
    for path in sorted((ROOT / "jack_ray" / "methods").glob("*/README.md")):
        found[f"methods/{path.parent.name}"] = path
    return found


@cache
def addresses() -> dict[Path, str]:
    """File -> address of its page, English and Chinese files both."""
    found = {path: address for address, path in sources().items()}
    return found | {translation(path): address for address, path in sources().items()}


def translation(path: Path) -> Path:
    """Where the Chinese page of an English one lies, or would lie."""
    if path.parent == ROOT:
        return path.with_name(f"{path.stem}_CN.md")
    if path.is_relative_to(ROOT / "docs"):
        return TRANSLATED / path.relative_to(ROOT / "docs")
    return TRANSLATED / "methods" / f"{path.parent.name}.md"
