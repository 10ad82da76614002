"""What a tutorial tells people to save and to type, in the order of the page."""

import re
import shlex
from pathlib import Path

FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
SAVED = re.compile(
    r"^(?:[^\n]*saved as )?`(?P<name>[\w./]+\.\w+)`:\n\n```\w*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


def saved_files(page: str) -> dict[str, str]:
    """Path -> text of each file that stands on a page below its name."""
    return {match["name"]: match["text"] for match in SAVED.finditer(page)}


def commands(page: str) -> list[list[str]]:
    """The words of every line that is typed: those of code blocks without a language that begin with a program."""
    typed = []
    for match in FENCE.finditer(page):
        if match["kind"] == "":
            typed += [shlex.split(line, comments=True) for line in match["text"].splitlines() if is_command(line)]
    return typed


def is_command(line: str) -> bool:
    """Whether a line of a code block is one that people type."""
    return re.match(r"(?:python|make|ray|mlflow|curl|pip|export|\.) ", line.removeprefix("$ ")) is not None


def write_files(page: str, root: Path) -> list[Path]:
    """Save the page's files below a folder, as a reader would."""
    paths = []
    for name, text in saved_files(page).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        paths.append(path)
    return paths
