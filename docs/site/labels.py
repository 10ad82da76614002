"""The theme's own words in Chinese, which Furo does not bring along."""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

CHINESE = {
    "On this page": "本页内容",
    "Back to top": "返回顶部",
    "Next": "下一页",
    "Previous": "上一页",
    "Home": "首页",
    "Skip to content": "跳到正文",
    "Made with ": "制作工具：",
    "Copyright &#169; %(copyright)s": "版权所有 &#169; %(copyright)s",
    "Please activate JavaScript to enable the search functionality.": "搜索需要启用 JavaScript。",
}


def write_labels(folder: Path) -> None:
    """Write them where Sphinx looks for words that it has no translation of."""
    catalog = Catalog(locale="zh_CN", domain="sphinx")
    for english, chinese in CHINESE.items():
        catalog.add(english, chinese)
    path = folder / "zh_CN" / "LC_MESSAGES" / "sphinx.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, catalog)
