"""Imports go one way, and importing newsnest stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import newsnest

ROOT = Path(newsnest.__file__).parent
BASE = {"types", "errors", "progress", "values"}
ALLOWED = {
    "types": {"errors", "progress"},
    "errors": set(),
    "progress": set(),
    "values": {"errors"},
    "__main__": {"cli"},
    "corpus": BASE,
    "labelled": BASE | {"corpus"},
    "embed": BASE,
    "cluster": BASE,
    "describe": BASE,
    "evaluate": BASE | {"labelled"},
    "nest": BASE,
    "train": BASE
    | {"embed", "evaluate", "corpus", "cluster", "labelled"},  # clusterbert: texts, and stories
    "pipeline": BASE
    | {"corpus", "labelled", "embed", "cluster", "describe", "nest", "evaluate", "train"},
    "study": BASE
    | {"corpus", "labelled", "embed", "cluster", "describe", "nest", "evaluate", "train"}
    | {"pipeline"},
    "web": BASE | {"pipeline", "nest"},
    "cli": BASE | {"pipeline", "nest", "corpus", "labelled", "evaluate", "train", "study", "web"},
}


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module or ""]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        rooms |= {n.split(".")[1] for n in names if n.startswith("newsnest.")}
    return rooms


def test_imports_follow_the_direction_of_the_house():
    for path in sorted(ROOT.rglob("*.py")):
        here = room(path)
        if here == "__init__":
            continue
        strangers = imported(path) - ALLOWED[here] - {here}
        assert not strangers, f"{path.relative_to(ROOT)} imports {sorted(strangers)}"


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(out.stdout.split())


def test_importing_newsnest_loads_neither_torch_nor_numba():
    heavy = {"torch", "numba", "sklearn", "sentence_transformers", "pyarrow"}
    assert not loaded_by("import newsnest") & heavy


def test_the_page_is_written_without_torch():
    assert not loaded_by("import newsnest.web.report") & {"torch", "sentence_transformers"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["cluster", "none.jsonl", "-o", "n"],
        ["cluster", "news.jsonl", "-o", "n", "--min-similarity", "storey=0.4"],
        ["cluster", "news.jsonl", "-o", "n", "--min-similarity", "story=4"],
        ["cluster", "news.jsonl", "-o", "n", "--encoder", "minilmm"],
        ["calibrate", "model", "--articles", "news.jsonl", "--level", "storey"],
        ["calibrate", "model"],
        ["train", "matryoshka", "--data", "a.csv", "-o", "m", "--set", "levels=storey"],
    ],
    ids=" ".join,
)
def test_what_is_misspelt_is_told_without_loading_the_heavy_parts(tmp_path, arguments):
    Path(tmp_path, "news.jsonl").write_text('{"id": "1", "title": "Sea wall breached"}\n')
    code = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules)); "
        f"from newsnest.cli.main import main; main({arguments})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode in (1, 2), done.stderr
    assert "Traceback" not in done.stderr
    assert not set(done.stdout.split()) & {"torch", "numba", "sklearn", "plotly"}


def test_help_comes_without_loading_the_heavy_parts():
    heavy = {"torch", "numba", "sklearn", "plotly"}
    assert not loaded_by("import newsnest.cli.main, newsnest.cli.cluster") & heavy
