"""Imports go one way, and importing newsnest stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import invented
import newsnest
from newsnest.errors import ParameterError

ROOT = Path(newsnest.__file__).parent
BASE = {
    "types",
    "errors",
    "progress",
    "plugins",
    "values",
    "printable",
    "invisible",
    "drafts",
    "days",
}
ALLOWED = {
    "types": {"errors", "progress"},
    "errors": {"printable"},
    "printable": set(),
    "drafts": {"errors"},
    "plugins": {"errors"},
    "progress": set(),
    "values": {"errors"},
    "invisible": set(),
    "days": set(),
    "__main__": {"cli"},
    "corpus": BASE,
    "labelled": BASE | {"corpus"},
    "embed": BASE,
    "cluster": BASE,
    "describe": BASE,
    "evaluate": BASE | {"labelled"},
    "nest": BASE,
    "options": BASE | {"corpus", "embed", "cluster", "describe"},
    "train": BASE
    | {"embed", "evaluate", "corpus", "cluster", "labelled"},  # clusterbert: texts, and stories
    "pipeline": BASE
    | {"corpus", "labelled", "embed", "cluster", "describe", "nest", "evaluate", "train"}
    | {"options"},
    "study": BASE
    | {"corpus", "labelled", "embed", "cluster", "describe", "nest", "evaluate", "train"}
    | {"pipeline", "options"},
    "web": BASE | {"pipeline", "nest"},
    "cli": BASE
    | {"pipeline", "nest", "corpus", "labelled", "evaluate", "train", "study", "web"}
    | {"options", "embed"},  # names of encoders
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
        if names == ["newsnest"] and isinstance(node, ast.ImportFrom):
            names = [f"newsnest.{alias.name}" for alias in node.names]
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
    assert not set(done.stdout.split()) & {"torch", "numba", "sklearn"}


HEAVY = {"torch", "transformers", "numba", "sklearn", "pandas", "scipy.stats", "pyarrow"}


@pytest.mark.parametrize(
    "statement", ["newsnest.cli.main, newsnest.cli.cluster", "newsnest.pipeline"]
)
def test_help_and_the_pipeline_come_without_the_heavy_parts(statement: str):
    assert not loaded_by(f"import {statement}") & (HEAVY | {"scipy.sparse"})


def run_cluster(folder: Path, *options: str) -> tuple[str, set[str]]:
    """Nest news.jsonl in a process of its own; return what it printed and what it loaded."""
    words = ["cluster", "news.jsonl", "-o", "n.nest", "--quiet", *options]
    code = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules)); "
        f"from newsnest.cli.main import main; main({words})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    *printed, loaded = done.stdout.splitlines()
    return "\n".join(printed), set(loaded.split())


def test_a_finished_nest_is_found_without_loading_what_computes(tmp_path: Path):
    invented.write(tmp_path / "news.jsonl", invented.articles())
    made, _ = run_cluster(tmp_path, "--encoder", "tfidf")
    again, loaded = run_cluster(tmp_path, "--encoder", "tfidf")
    assert "run 1, 51 articles" in made and "nothing to do" in again
    assert not loaded & (HEAVY - {"numba"})


def test_nesting_with_static_vectors_loads_no_torch(tmp_path: Path, static_model: Path):
    invented.write(tmp_path / "news.jsonl", invented.articles())
    made, loaded = run_cluster(tmp_path, "--encoder", str(static_model))
    assert "run 1, 51 articles" in made
    # The map of stories is scikit-learn's t-SNE; it brings pandas, pyarrow and scipy.stats along.
    assert not loaded & {"torch", "transformers", "sentence_transformers", "model2vec"}


def test_calling_the_package_cluster_says_what_to_call():
    with pytest.raises(
        ParameterError, match=r"is a package. To cluster texts call Nester\(\)\.fit"
    ):
        newsnest.cluster(["Sea wall breached"])
    from newsnest import cluster

    with pytest.raises(AttributeError, match="'newsnest.cluster' has no attribute 'Rac'"):
        cluster.Rac  # noqa: B018
