"""Words of a page in Chinese, for the search: every two characters that follow one another."""

import re
from collections.abc import Iterator

from sphinx.search.en import SearchEnglish

CHINESE = "\u3400-\u9fff"
_PIECE = re.compile(f"[{CHINESE}]+|[^\\W{CHINESE}]+")


def bigrams(text: str) -> Iterator[str]:
    """Pairs of Chinese characters and whole other words; a character that stands alone is a word."""
    for piece in _PIECE.findall(text):
        if re.match(f"[{CHINESE}]{{2}}", piece):
            yield from (piece[place : place + 2] for place in range(len(piece) - 1))
        else:
            yield piece


class BigramChinese(SearchEnglish):
    """Splits a page and, in the browser, a question in the same way.

    Sphinx's own class splits pages with jieba (last released in 2020) and does not split questions at all: two words
    typed without a space would never be found. Words in Latin letters are stemmed as in English.
    """

    lang = "zh"
    language_name = "English"  # names the stemmer in the browser
    js_splitter_code = f"""
var splitQuery = (query) =>
  (query.match(/[{CHINESE}]+|(?:(?![{CHINESE}])[\\p{{Letter}}\\p{{Number}}_])+/gu) || []).flatMap((piece) =>
    /^[{CHINESE}]{{2}}/.test(piece)
      ? Array.from({{ length: piece.length - 1 }}, (_, place) => piece.slice(place, place + 2))
      : [piece]);
"""

    def split(self, input: str) -> list[str]:
        """The words of a text, as the browser will split a question."""
        return list(bigrams(input))

    def word_filter(self, word: str) -> bool:
        """Whether a word is worth an entry."""
        return len(word) > 1 and super().word_filter(word)
