"""A Chinese page says what the English one says: as many headings and rows, the same code, the same links."""

import re
from collections import Counter
from pathlib import Path

import pytest

from docs.site.pages import ROOT, TRANSLATED, anchors, sources, translation
from tests.test_docs import FENCE, LINK, prose

pytestmark = pytest.mark.repository

ENGLISH_ONLY = re.compile(r"config|changelog|architecture|contributing|performance|decisions/.*|methods/.*")
"""Pages for developers, and what is generated: shown in English in the Chinese site, with a note."""

PAIRS = [
    (path, translation(path)) for path in sources().values() if translation(path).exists() and path.parent != ROOT
]  # the README has a test of its own


def links(path: Path) -> Counter[str]:
    """Where a page's links lead, in words that are the same for both languages: English page, number of heading."""
    found: Counter[str] = Counter()
    originals = {translation(original): original for original in sources().values()}
    for link in LINK.findall(prose(path.read_text("utf-8"))):
        target, _, place = link.partition("#")
        if "://" in target:
            found[link] += 1
            continue
        page = (path.parent / target).resolve() if target else path
        names = anchors(page.read_text("utf-8")) if place else []
        found[f"{originals.get(page, page).relative_to(ROOT)}#{names.index(place) if place else ''}"] += 1
    return found


def inline_code(text: str) -> Counter[str]:
    """What stands between backquotes."""
    return Counter(" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose(text)))


def rows(text: str) -> list[int]:
    """The number of cells of each row of a table."""
    return [len(re.findall(r"(?<!\\)\|", line)) for line in prose(text).splitlines() if line.startswith("|")]


def test_every_page_that_users_read_is_there_in_chinese() -> None:
    missing = [
        address
        for address, path in sources().items()
        if not ENGLISH_ONLY.fullmatch(address) and not translation(path).exists()
    ]
    assert missing == []


def test_no_chinese_page_is_left_of_an_english_one_that_is_gone() -> None:
    expected = {translation(path) for path in sources().values()}
    assert set(TRANSLATED.rglob("*.md")) <= expected


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=[str(pair[0].relative_to(ROOT)) for pair in PAIRS])
def test_both_languages_have_the_same_headings_code_and_links(english: Path, chinese: Path) -> None:
    texts = [path.read_text("utf-8") for path in (english, chinese)]
    levels = [re.findall(r"^(#+) ", prose(text), re.MULTILINE) for text in texts]
    assert levels[0] == levels[1]
    assert FENCE.findall(texts[0]) == FENCE.findall(texts[1])
    assert rows(texts[0]) == rows(texts[1])
    assert inline_code(texts[0]) == inline_code(texts[1])
    assert links(english) == links(chinese)


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=[str(pair[0].relative_to(ROOT)) for pair in PAIRS])
def test_a_chinese_page_is_in_chinese(english: Path, chinese: Path) -> None:
    """Paragraphs that were pasted and not translated are seen."""
    for paragraph in re.split(r"\n\s*\n", prose(chinese.read_text("utf-8"))):
        words = re.sub(r"`[^`\n]*`|\[[^\]]*\]\([^)]*\)|<[^>]*>|\*[^*]*\*", "", paragraph)
        if len(re.findall(r"[A-Za-z]{2,}", words)) > 12:
            assert len(re.findall(r"[\u3400-\u9fff]", words)) > 12, paragraph
