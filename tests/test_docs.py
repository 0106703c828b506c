"""The documentation says what is there: links, commands, tables, and code that runs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import unicodedata
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

import newsnest
from newsnest.cli.main import main
from newsnest.corpus.column_names import USUAL
from newsnest.corpus.columns import Columns
from newsnest.corpus.readers import READERS
from newsnest.describe import DESCRIBERS
from newsnest.embed import KNOWN
from newsnest.train.recipes import RECIPES

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
MAP = DOCS / "index.md"
GENERATED = DOCS / "reference" / "cli.md"
EXTENDING = DOCS / "reference" / "extending.md"
MANUAL = ("guide", "training", "reference")
MAX_WORDS = 21_000
"""Of the manual, without the generated page; what experiments measured is in docs/reports."""
PUBLIC_MODULES = {
    "newsnest.types",
    "newsnest.errors",
    "newsnest.progress",
    "newsnest.corpus.sample",
    "newsnest.train.evaluators",
    "newsnest.train.cluster_head",
}
"""Their names without an underscore are public, as CONTRIBUTING.md says."""
AWKWARD = (
    "what is said",
    "nothing is said",
    "told",
    "shall",
    "one's own",
    "stand there",
    "stands there",
    "most pairs",
    "least pairs",
    "for want of",
    "goes on where it stopped",
    "as it comes",
)
"""Phrases that no native speaker would write here."""

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_IMPORT = re.compile(r"from (newsnest[\w.]*) import ([\w, ]+)")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_SHELL = ("sh", "console")
_FILE = re.compile(r"# (\w+/(\w+)\.py)\n")


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return _FENCE.sub("", read(page))


def blocks(page: Path, *languages: str) -> list[str]:
    return [code for language, code in _FENCE.findall(read(page)) if language in languages]


def anchors(page: Path) -> set[str]:
    """The ids that headings get on the usual hosts."""
    found = set()
    for heading in _HEADING.findall(prose(page)):
        plain = unicodedata.normalize("NFC", heading.replace("`", "")).lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def named(page: Path) -> object:
    return pytest.param(page, id=page.relative_to(ROOT).as_posix())


def table(text: str, heading: str) -> list[list[str]]:
    """The rows of the first table below a heading."""
    rows: list[list[str]] = []
    for line in text.partition(f"{heading}\n")[2].splitlines():
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            break
    return rows[2:]


def column(text: str, heading: str) -> list[str]:
    """The first column of the first table below a heading."""
    return [row[0].strip("`") for row in table(text, heading)]


def commands(page: Path) -> Iterator[list[str]]:
    """The arguments of every newsnest command in the code blocks of a page."""
    for code in blocks(page, *_SHELL):
        for line in code.replace("\\\n", " ").splitlines():
            words = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars="|&;<>")
            words.whitespace_split, words.commenters = True, "#"
            command: list[str] = []
            for word in [*words, ";"]:
                if word[0] not in "|&;<>":
                    command.append(word)
                    continue
                if command and Path(command[0]).name == "newsnest":
                    yield command[1:]
                # What follows < or > is a file.
                command = ["a file:"] if word[0] in "<>" else []


def parse(arguments: list[str]) -> None:
    """Parse a command line as newsnest would, and run nothing."""
    command: click.Command = main
    context: click.Context | None = None
    name = "newsnest"
    while isinstance(command, click.Group):
        context = command.make_context(name, list(arguments), parent=context)
        rest = [*context._protected_args, *context.args]
        name, found, arguments = command.resolve_command(context, rest)  # type: ignore[assignment]
        assert found is not None
        command = found
    command.make_context(name, list(arguments), parent=context)


@pytest.mark.parametrize("page", [named(page) for page in PAGES])
def test_every_internal_link_resolves(page):
    for link in _LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name} links to {link}"


def test_the_map_leads_to_every_page():
    linked = {link.partition("#")[0] for link in _LINK.findall(read(MAP))}
    pages = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    assert pages - {MAP.name} <= linked


@pytest.mark.parametrize("page", [named(page) for page in PAGES])
def test_every_command_in_a_code_block_is_one_the_command_line_accepts(page):
    for arguments in commands(page):
        try:
            parse(arguments)
        except click.exceptions.Exit as end:  # --help, --version
            assert end.exit_code == 0
        except click.UsageError as error:
            message = f"{page.name}: newsnest {shlex.join(arguments)}: {error.format_message()}"
            pytest.fail(message)


def test_a_command_that_does_not_exist_is_noticed():
    for arguments in (["clutser", "a.csv"], ["cluster", "a.csv"], ["show", "a.nest", "--levle=x"]):
        with pytest.raises(click.UsageError):
            parse(arguments)


def test_commands_are_found_behind_pipes_prompts_and_other_commands(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ cat a | newsnest cluster - \\\n  -o b.nest > newsnest\n"
        "$ true && .venv/bin/newsnest show b.nest || echo newsnest\n```\n"
    )
    assert list(commands(page)) == [["cluster", "-", "-o", "b.nest"], ["show", "b.nest"]]


@pytest.mark.parametrize("page", [named(page) for page in PAGES])
def test_options_named_in_prose_exist(page):
    known: set[str] = {"--help", "--version"}
    waiting: list[click.Command] = [main]
    while waiting:
        command = waiting.pop()
        for parameter in command.params:
            known.update(parameter.opts + parameter.secondary_opts)
        if isinstance(command, click.Group):
            context = click.Context(command)
            found = [command.get_command(context, n) for n in command.list_commands(context)]
            waiting.extend(c for c in found if c is not None)
    known |= {"--write", "--cache", "--data"}  # of the benchmarks
    said = set(re.findall(r"`(--[a-z-]+)", prose(page)))
    assert said <= known


@pytest.mark.parametrize("page", [named(page) for page in PAGES])
def test_python_in_code_blocks_compiles(page):
    for code in blocks(page, "python"):
        compile(code, page.name, "exec")


@pytest.mark.parametrize("page", [named(page) for page in PAGES])
def test_pages_import_public_names_only(page):
    for module, names in _IMPORT.findall(read(page)):
        home = import_module(module)
        public = vars(home) if module in PUBLIC_MODULES else home.__all__
        for name in names.split(", "):
            assert name in public and not name.startswith("_"), f"{page.name}: {module}.{name}"


def package(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None
    return found[0].lower()


def test_every_dependency_has_a_row_that_says_why_and_no_row_is_left_over():
    project = tomllib.loads(read(ROOT / "pyproject.toml"))
    extras = dict(project["project"]["optional-dependencies"])
    build = project["build-system"]["requires"]
    development = [*extras.pop("dev"), *build]
    wanted = {
        "## Needed to run": project["project"]["dependencies"],
        "## Extras": [requirement for group in extras.values() for requirement in group],
        "## To develop": development,
    }
    text = read(DOCS / "reference" / "dependencies.md")
    for heading, requirements in wanted.items():
        packages = {package(requirement) for requirement in requirements} - {"newsnest"}
        listed = column(text, heading)
        assert len(listed) == len(set(listed))
        assert set(listed) == packages, heading


def test_every_encoder_has_a_row_and_no_row_is_left_over():
    assert column(read(DOCS / "guide" / "encoders.md"), "# Encoders") == list(KNOWN.built_in)


def test_every_format_has_a_row_with_its_suffixes_and_no_row_is_left_over():
    rows = column(read(DOCS / "guide" / "input.md"), "## Formats")
    suffixes = [tuple(re.findall(r"\.\w+", cell)) for cell in rows]
    assert suffixes == [*(reader.suffixes for reader in READERS.values()), (), ()]  # directory, "-"


def test_every_column_name_of_the_page_stands_for_its_field():
    rows = table(read(DOCS / "guide" / "input.md"), "## Fields")
    assert [row[0].strip("`") for row in rows] == list(USUAL)
    for field, _, names in rows:
        for name in names.split(", "):
            found = Columns({}).match((name,))
            assert next(iter(found)) == field.strip("`"), name


def test_every_describer_has_a_row_and_no_row_is_left_over():
    rows = column(read(DOCS / "reference" / "python.md"), "### Describers")
    assert rows == list(DESCRIBERS.built_in)


def test_every_loss_has_a_row_with_what_it_takes_and_no_row_is_left_over():
    from newsnest.train.losses import LOSSES

    rows = table(read(DOCS / "training" / "losses-and-samplers.md"), "## Losses")
    assert [tuple(row[:4]) for row in rows] == [
        (f"`{name}`", f"`{known.loss.__name__}`", known.inputs, known.labels)
        for name, known in LOSSES.built_in.items()
    ]
    assert all(row[4] and row[5] for row in rows)


def test_every_recipe_is_named_on_the_page_to_choose_one_by():
    rows = read(DOCS / "training" / "choosing.md")
    assert set(re.findall(r"`(\w+)`", rows)) >= set(RECIPES)


def test_the_manual_stays_short():
    pages = [p for s in MANUAL for p in (DOCS / s).rglob("*.md") if p != GENERATED]
    assert pages
    assert sum(len(read(page).split()) for page in pages) < MAX_WORDS


@pytest.mark.parametrize("page", [named(page) for page in PAGES if page != GENERATED])
def test_pages_are_in_plain_english(page):
    text = " ".join(prose(page).replace("’", "'").lower().split())
    assert [phrase for phrase in AWKWARD if re.search(rf"\b{phrase}\b", text)] == []


def test_every_benchmark_has_a_row_and_every_result_is_named():
    text = read(DOCS / "reports" / "benchmarks.md")
    scripts = {path.name for path in (ROOT / "benchmarks").glob("*.py")}
    scripts -= {"measured.py", "as_run.py", "synthetic.py"}
    assert scripts <= set(column(text, "# Benchmarks"))
    for result in (ROOT / "benchmarks" / "results").glob("*.json"):
        assert f"`{result.name}`" in text, result.name


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with demo.nest, and a path on which `newsnest` and `python` are ours."""
    folder = tmp_path_factory.mktemp("docs")
    tools = tmp_path_factory.mktemp("bin")
    for name, command in (("newsnest", "-m newsnest "), ("python", "")):
        script = tools / name
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {command}"$@"\n')
        script.chmod(0o755)
    path = os.pathsep.join([str(tools), os.environ.get("PATH", os.defpath)])
    source = str(Path(newsnest.__file__).parent.parent)
    environment = {**os.environ, "PATH": path, "PYTHONPATH": source}
    run("sh", "newsnest demo -o demo.nest --quiet", folder, environment)
    first = blocks(DOCS / "guide" / "first-nest.md", "python")[0]
    run("python", first, folder, environment)  # headlines.csv
    return folder, environment


def run(language: str, code: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a block and return what it prints; one that begins with "# package/file.py" is a file."""
    program = [shutil.which("sh") or "sh", "-ec", code]
    if language == "python" and (module := write_file(code, folder)):
        program = [sys.executable, "-m", module]
    elif language == "python":
        program = [sys.executable, "-c", code]
    done = subprocess.run(
        program, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def write_file(code: str, folder: Path) -> str:
    """Write a block that is a file, and return the name of its module; "" for other blocks."""
    found = _FILE.match(code)
    if found is None:
        return ""
    path = folder / found[1]
    path.parent.mkdir(exist_ok=True)
    path.write_text(code, encoding="utf-8")
    return f"{path.parent.name}.{found[2]}"


def test_the_package_of_the_page_on_extending_adds_a_part_of_every_kind(tmp_path):
    files = [write_file(code, tmp_path) for code in blocks(EXTENDING, "python")]
    assert len(files) == 5 and all(files)
    (project,) = blocks(EXTENDING, "toml")
    info = tmp_path / "loud_news-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loud-news\nVersion: 1.0\n")
    lines = []
    for group, points in tomllib.loads(project)["project"]["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines))
    rows = [f"[{i}]\nheadline = Storm {i // 2}\n" for i in range(6)]
    (tmp_path / "news.ini").write_text("".join([*rows, "no section\n"]))
    code = """if True:
        import numpy as np
        from newsnest import load_encoder, read_articles
        from newsnest.describe import load_describer
        *articles, rejected, last = read_articles(["news.ini"])
        articles.append(last)
        vectors = load_encoder("buckets").encode([article.body for article in articles])
        labels = [np.arange(6, dtype=np.int32) // 2]
        described = load_describer("shout").describe(articles, vectors, labels)
        print(rejected.line, vectors.shape, [one.name for one in described[0]])
        from newsnest.train import RECIPES
        from newsnest.train.losses import LOSSES
        print(LOSSES["margin"].loss.__name__, RECIPES["margin"].settings.__name__)
        """
    source = str(Path(newsnest.__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), source])}
    printed = run("python", code, tmp_path, environment).splitlines()
    assert printed[0] == "13 (6, 64) ['STORM 0', 'STORM 1', 'STORM 2']"
    assert printed[1] == "MarginLoss MarginSettings"


@pytest.mark.slow
@pytest.mark.parametrize("page", [named(page) for page in sorted(DOCS.rglob("*.md"))])
def test_the_code_of_every_page_runs(page, workplace):
    folder, environment = workplace
    for language, code in _FENCE.findall(read(page)):
        if language in ("sh", "python"):
            run(language, code, folder, environment)
