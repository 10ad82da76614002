"""python -m docs.site OUTPUT: the site in English at OUTPUT/index.html, in Chinese at OUTPUT/zh/index.html."""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from docs.site.labels import write_labels
from docs.site.pages import LANGUAGES, Language, navigation
from docs.site.reference import generated_pages
from docs.site.stage import stage

HERE = Path(__file__).parent


def build(output: Path, drafts: Path) -> list[str]:
    """Stage both languages below drafts, build them side by side; what Sphinx complained of, nothing if all is well."""
    generated = generated_pages()
    write_labels(drafts / "labels")
    builds = []
    for language in LANGUAGES:
        source = drafts / language.name
        stage(source, language, generated)
        builds.append(_start(source, output / language.folder, drafts / f"{language.name}.doctrees", language))
    complaints = []
    for language, process in zip(LANGUAGES, builds, strict=True):
        said, _ = process.communicate()
        if process.returncode != 0:
            complaints.append(f"{language.name}: {said.strip()}")
    return complaints


def _start(source: Path, output: Path, doctrees: Path, language: Language) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going", "-c", str(HERE)]
    command += ["-d", str(doctrees), "-D", f"locale_dirs={source.parent / 'labels'}"]
    command += ["-D", f"language={language.sphinx}", "-D", f"html_title={language.title}"]
    command += [str(source), str(output)]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)


def main(arguments: Sequence[str] | None = None) -> int:
    """0: built. 1: a page is wrong, and the message says which. 2: Sphinx or the diagrams' renderer is missing."""
    parser = argparse.ArgumentParser(prog="python -m docs.site", description=__doc__)
    parser.add_argument("output", type=Path, help="folder of the site; what lies there is written over")
    output = parser.parse_args(arguments).output.resolve()
    try:
        import furo  # noqa: F401
        import mermaidx  # noqa: F401
        import myst_parser  # noqa: F401
    except ImportError as error:
        print(
            f"error: {error.name} is missing. Type: make docs, or pip install -c constraints.txt -e '.[docs]'",
            file=sys.stderr,
        )
        return 2
    with tempfile.TemporaryDirectory() as drafts:
        try:
            complaints = build(output, Path(drafts))
        except ValueError as error:  # a link of a page
            complaints = [str(error)]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    if not complaints:
        print(f"{sum(len(part.pages) for part in navigation())} pages in 2 languages: open {output / 'index.html'}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
