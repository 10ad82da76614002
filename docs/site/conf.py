"""Sphinx's settings, for both languages; `python -m docs.site` gives the language and the title."""

from docs.site.words import BigramChinese

project = "jack_ray"
copyright = "the authors of jack_ray, Apache-2.0"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["files/**"]
myst_heading_anchors = 4
myst_enable_extensions: list[str] = []
suppress_warnings = ["myst.header"]  # READMEs begin with what GitHub shows
highlight_language = "none"

html_theme = "furo"
html_static_path = ["theme/static"]
templates_path = ["theme"]
html_css_files = ["site.css"]
html_js_files = ["search_without_server.js"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_use_index = False
html_domain_indices = False
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "language.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}


def setup(app):  # type: ignore[no-untyped-def]
    """Sphinx calls this."""
    app.add_search_language(BigramChinese)
    app.connect("config-inited", _search_language)


def _search_language(app, config):  # type: ignore[no-untyped-def]
    config.html_search_language = "zh" if config.language == "zh_CN" else "en"
