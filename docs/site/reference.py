"""Pages that are written from the code: what commands say of themselves, and docstrings, read without importing."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from docs.site.pages import ROOT

Described = ast.FunctionDef | ast.ClassDef

COMMANDS = (
    "prepare", "warm", "data", "launch", "sweeps", "upload", "test", "predict", "score", "promote", "serve",
    "verify", "submit", "mlflow_server", "docs",
)  # fmt: skip
"""In the order in which a reader needs them; a test holds that none is left out."""

SILENT = ("prepare",)
"""Takes no words, so that it has no help but its docstring."""

_ASK = """\
import contextlib, io, json, re, runpy, sys, warnings
warnings.simplefilter("ignore")
def said(words):
    out = io.StringIO()
    sys.argv = [words[0], *words[1:], "--help"]
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    return out.getvalue()
answers = {}
for name in json.load(sys.stdin):
    answers[name] = said([f"jack_ray.{name}"])
    if "COMMAND ..." in answers[name]:
        for own in re.findall(r"^    (\\w+)", answers[name], re.MULTILINE):
            answers[f"{name} {own}"] = said([f"jack_ray.{name}", own])
json.dump(answers, sys.stdout)
"""

PYTHON = {
    "reference/python": ("Python API", "In notebooks: [from Python](../python.md).", ("api.py",)),
    "reference/method_parts": (
        "Parts for a method",
        "What a [new method](../add_a_method.md) fills in and may use.",
        (
            "methods/roles.py", "contract/settings.py", "contract/schema.py", "contract/errors.py",
            "methods/shared/class_annotation.py", "methods/shared/classification.py", "methods/shared/detection.py",
            "methods/shared/class_loss.py", "methods/shared/linear.py", "methods/shared/dropout.py",
            "methods/shared/batchnorm.py", "methods/shared/attention.py", "methods/shared/convolution.py",
            "methods/shared/convolution3d.py", "methods/shared/fused_norm.py", "methods/shared/mfcc.py",
            "methods/shared/fbank.py", "methods/shared/video_file.py", "methods/shared/sound_file.py",
        ),
    ),
    "reference/files": (
        "Files and messages",
        "What crosses the [process wall](../architecture.md#the-process-wall), and what other programs may read.",
        (
            "contract/paths.py", "contract/trial.py", "contract/events.py", "contract/checkpoint.py",
            "contract/state.py", "contract/failure.py", "contract/status.py", "contract/control.py",
            "contract/order.py",
        ),
    ),
}  # fmt: skip
"""Address -> title, first sentence, and the modules below jack_ray/."""


def generated_pages() -> dict[str, str]:
    """Address -> Markdown of every page that is written from the code."""
    return {"reference/commands": commands_page()} | {address: python_page(*page) for address, page in PYTHON.items()}


def helps() -> dict[str, str]:
    """Command, such as "sweeps why" -> what it prints for --help. One process asks all: importing takes longest."""
    asked = [name for name in COMMANDS if name not in SILENT]
    environment = {**os.environ, "COLUMNS": "100", "PYTHONPATH": str(ROOT), "TERM": "dumb"}
    for variable in ("JACK_RAY_JITTOR_HOME", "JACK_RAY_FEATURES"):
        environment.pop(variable, None)
    done = subprocess.run(
        [sys.executable, "-c", _ASK],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=environment,
    )
    answers: dict[str, str] = json.loads(done.stdout)
    return answers


def commands_page() -> str:
    """The reference of commands."""
    answers = helps()
    lines = ["# Commands", "", "What each command prints for `--help`. Settings of their own groups are in the"]
    lines += ["[configuration](../config.md).", ""]
    for name in COMMANDS:
        lines += [f"## jack_ray.{name}", ""]
        if name in SILENT:
            lines += [_docstring(ROOT / "jack_ray" / f"{name}.py"), ""]
            continue
        lines += ["```", _plain(answers[name]), "```", ""]
        for own in (other for other in answers if other.startswith(f"{name} ")):
            lines += [f"### jack_ray.{own}", "", "```", _plain(answers[own]), "```", ""]
    return "\n".join(lines)


def _plain(text: str) -> str:
    return text.rstrip().replace(str(Path.home()), "~")


def _docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""


def python_page(title: str, sentence: str, modules: Sequence[str]) -> str:
    """The reference of some modules, from their docstrings."""
    lines = [f"# {title}", "", sentence]
    for module in modules:
        lines += ["", *_module(ROOT / "jack_ray" / module)]
    return "\n".join(lines) + "\n"


def _module(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text("utf-8"))
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    yield from (f"## {name}", "", _prose(tree), "")
    for node in _public(tree):
        yield from _described(node, _signature(node))
        if isinstance(node, ast.ClassDef):
            for method in _public(node):
                yield from _described(method, f"{node.name}.{_signature(method)}")


def _public(tree: ast.Module | ast.ClassDef) -> Iterator[Described]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node


def _described(node: Described, signature: str) -> Iterator[str]:
    yield from ("```python", signature, "```", "", _prose(node), "")


def _signature(node: Described) -> str:
    """As in the source, without its body; of a class with its fields, of a property without parentheses."""
    if isinstance(node, ast.FunctionDef):
        returns = ast.unparse(node.returns).strip("'") if node.returns else ""
        if any(isinstance(one, ast.Name) and one.id == "property" for one in node.decorator_list):
            return f"{node.name}: {returns}"
        taken = re.sub(r"^self(, )?", "", ast.unparse(node.args))
        return f"{node.name}({taken}) -> {returns}"
    bases = f"({', '.join(map(ast.unparse, node.bases))})" if node.bases else ""
    fields = [f"    {ast.unparse(one)}" for one in node.body if isinstance(one, ast.AnnAssign)]
    return "\n".join([f"class {node.name}{bases}", *fields])


def _prose(node: Described | ast.Module) -> str:
    """A docstring as Markdown: what stands in backquotes is code, all else is text; legends of shapes stay lines."""
    lines = []
    for line in (ast.get_docstring(node) or "").split("\n"):
        parts = line.split("`")
        parts[::2] = [re.sub(r"([*_<#\[\]])", r"\\\1", part) for part in parts[::2]]
        lines.append("`".join(parts) + ("\\" if line.startswith("#") else ""))
    return "\n".join(lines).rstrip("\\")
