"""Mermaid's own program draws diagrams when the site is built, so that no page loads or runs it."""

import hashlib
import json
import re
from functools import cache
from pathlib import Path

LOOK = {"theme": "neutral"}
WIDE, SMALLEST = 1100.0, 0.65
"""Pixels that a diagram may take, and how far it is made smaller for that; a wider one is scrolled."""


def drawn(text: str, folder: Path) -> str:
    """Draw a diagram of Mermaid's language into a folder; the name of the SVG file, which follows from the text."""
    name = f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.svg"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(_svg(text), "utf-8")
    return name


@cache
def _svg(text: str) -> str:
    import mermaidx  # beside the check of __main__, which says what to type when it is missing

    svg: str = mermaidx.render(f"%%{{init: {json.dumps(LOOK)}}}%%\n{text}").svg()
    return _in_its_own_size(svg)


def _in_its_own_size(svg: str) -> str:
    """Mermaid writes width="100%", which makes the letters of a wide diagram too small to read."""
    width, height = (float(number) for number in svg.split('viewBox="', 1)[1].split('"', 1)[0].split()[2:])
    scale = max(SMALLEST, min(1.0, WIDE / width))
    head, _, rest = svg.partition(">")
    head = re.sub(r' (width|height|style)="[^"]*"', "", head)
    return f'{head} width="{width * scale:.0f}" height="{height * scale:.0f}">{rest}'
