"""What goes wrong is said in one line on stderr, with exit status 1; what was mistyped, 2."""

from __future__ import annotations

from pathlib import Path

import pytest


def said(result) -> str:
    """Return the one line on stderr, after checking that it is all there is."""
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("newsnest: ")
    return line


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["none.jsonl"], "none.jsonl must exist, got no such file. Check the path."),
        (["note.xyz"], "note.xyz must end in one of .jsonl"),
        (["news.jsonl", "--field", "text=corpus"], "the column for text must exist, got 'corpus'"),
        (["news.jsonl", "--field", "txet=body"], "a field must be one of id, title, text"),
        (["news.jsonl", "--field", "txet=body"], "Did you mean 'text'?"),
        (["news.jsonl", "--field", "text=titel"], "Did you mean 'title'? Name one of these"),
        (["news.jsonl", "--min-similarity", "storey=0.4"], "theme, topic, story, got 'storey'"),
        (["news.jsonl", "--min-similarity", "story=1.4"], "must be in [-1, 1], got 1.4 for story"),
        (["news.jsonl", "--min-similarity", "story=nan"], "must be in [-1, 1], got nan for story"),
        (["news.jsonl", "--time-weight", "nan"], "time_weight must be in [0, 1), got nan"),
        (["news.jsonl", "--encoder", "minilmm"], "minilm, static, tfidf, multilingual, static-m"),
        (["news.jsonl", "--encoder", "."], "must hold a sentence-transformers model"),
        (["news.jsonl", "--encoding", "utf-9"], "encoding must be one Python knows, got 'utf-9'"),
        (
            ["bad.jsonl"],
            "no article could be read from bad.jsonl; 1 row set aside (the first: bad.",
        ),
        (["empty.jsonl"], "newsnest: no article could be read from empty.jsonl: there are no rows"),
        (["bad.jsonl", "--strict"], "newsnest: bad.jsonl, line 1: every row must be an article"),
        (["news.jsonl", "--format", "parquet"], "news.jsonl"),
    ],
)
def test_cluster_says_what_is_wrong(
    newsnest, tmp_path: Path, monkeypatch, arguments: list[str], wanted: str
):
    monkeypatch.chdir(tmp_path)
    Path("news.jsonl").write_text('{"id": "1", "title": "Sea wall breached"}\n')
    Path("bad.jsonl").write_text("{oh\n")
    Path("empty.jsonl").touch()
    Path("note.xyz").write_text("x")
    if "--encoder" not in arguments:
        arguments = [*arguments, "--encoder", "tfidf"]
    assert wanted in said(newsnest("cluster", *arguments, "-o", "n.nest", "--quiet", status=1))


def test_cluster_never_overwrites_what_is_no_nest(newsnest, corpus: Path, tmp_path: Path):
    copy = tmp_path / "news.jsonl"
    copy.write_bytes(corpus.read_bytes())
    line = said(newsnest("cluster", copy, "-o", copy, status=1))
    assert "is not a nest, and is left as it is" in line
    assert copy.read_bytes() == corpus.read_bytes()
    assert "is a directory" in said(newsnest("cluster", copy, "-o", tmp_path, status=1))
    missing = tmp_path / "nowhere" / "n.nest"
    assert "no such directory" in said(newsnest("cluster", copy, "-o", missing, status=1))


@pytest.mark.parametrize("command", ["show", "export", "report"])
def test_every_command_says_that_a_file_is_no_nest(
    newsnest, corpus: Path, tmp_path: Path, command: str
):
    output = [] if command == "show" else ["-o", tmp_path / "out.csv"]
    assert "is not a nest" in said(newsnest(command, corpus, *output, status=1))
    none = tmp_path / "none.nest"
    assert "no such nest. Make one" in said(newsnest(command, none, *output, status=1))
    none.touch()
    assert "none.nest is empty. Fill it" in said(newsnest(command, none, *output, status=1))
    assert none.stat().st_size == 0
    assert not (tmp_path / "out.csv").exists()


def test_show_names_the_levels_and_runs_there_are(newsnest, nest: Path):
    line = said(newsnest("show", nest, "--level", "storey", status=1))
    assert "has no level 'storey'. It has: theme, topic, story. Did you mean 'story'?" in line
    assert "has no run 7. It has: 1." in said(newsnest("show", nest, "--run", "7", status=1))


def test_export_and_report_say_what_is_wrong_with_the_output(newsnest, nest: Path, tmp_path: Path):
    wrong = tmp_path / "out.xls"
    assert ".jsonl, .csv, .parquet" in said(newsnest("export", nest, "-o", wrong, status=1))
    missing = tmp_path / "nowhere"
    line = said(newsnest("report", nest, "-o", tmp_path / "out.pdf", status=1))
    assert line == "newsnest: path must end in .html or .htm, got 'out.pdf'. Rename it."
    for command, name in (("export", "out.csv"), ("report", "out.html")):
        line = said(newsnest(command, nest, "-o", missing / name, status=1))
        assert "Check the directory" in line or "Create the directory" in line


def test_no_command_overwrites_its_nest(newsnest, nest: Path, tmp_path: Path):
    for name in ("n.csv", "n.html"):
        (tmp_path / name).write_bytes(nest.read_bytes())
    line = said(newsnest("export", tmp_path / "n.csv", "-o", tmp_path / "n.csv", status=1))
    assert "must not be the nest itself" in line
    page = tmp_path / "n.html"
    result = newsnest("report", page, "-o", page, status=2)
    assert "the page must not be the nest itself" in result.stderr
    assert "must not end in .html" in newsnest("demo", "-o", tmp_path / "d.html", status=2).stderr
    assert page.read_bytes() == nest.read_bytes()


def test_a_nest_without_a_finished_run_says_how_to_finish_it(newsnest, tmp_path: Path):
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{oh\n")
    nest = tmp_path / "n.nest"
    newsnest("cluster", bad, "-o", nest, "--encoder", "tfidf", status=1)
    for more in ((), ("--run", "1")):
        line = said(newsnest("show", nest, *more, status=1))
        assert (
            f"Run 1 of {nest} is not finished: no article could be read from {bad}; 1 row" in line
        )
        assert line.endswith("Run the same newsnest cluster command again to resume it.")
    runs = newsnest("show", nest, "--runs").stdout
    assert "unfinished" in runs
    assert "stopped: no article could be read" in runs
    assert "bad.jsonl:1: " in newsnest("show", nest, "--rejected").stdout


def test_a_command_that_fails_before_any_work_leaves_no_nest(
    newsnest, corpus: Path, tmp_path: Path
):
    nest = tmp_path / "n.nest"
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    no_model = tmp_path / "model"
    no_model.mkdir()
    for path, encoder in ((corpus, "minilmm"), (corpus, no_model), (empty, "tfidf")):
        newsnest("cluster", path, "-o", nest, "--encoder", encoder, status=1)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["empty.jsonl", "model"]
    newsnest("cluster", corpus, "-o", nest, "--encoder", "tfidf", "--quiet")
    newsnest("cluster", empty, "-o", nest, "--encoder", "tfidf", status=1)
    assert "article" in newsnest("show", nest).stdout  # one that was there stays


def test_no_error_begins_with_the_name_of_a_function(newsnest, nest: Path, tmp_path: Path):
    line = said(newsnest("export", nest, "-o", tmp_path / "out.xls", status=1))
    assert line.startswith("newsnest: the file must end in")
    missing = Path("nowhere") / "n.nest"  # the name of a folder is not taken for one
    line = said(newsnest("demo", "-o", missing, status=1))
    assert line == "newsnest: nowhere: no such directory. Create it first."


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["cluster", "~nobody-here/x.jsonl", "-o", "n"], "must exist, got no such file"),
        (["cluster", "news.jsonl", "-o", "n", "--encoder", "~nobody-here"], "got '~nobody-here'"),
        (["cluster", "news.jsonl", "-o", "n", "--profile", "~nobody-here/x.toml"], "readable"),
        (["evaluate", "pairs", "pairs.csv", "--encoder", "~nobody-here"], "got '~nobody-here'"),
        (["train", "pairs", "--data", "~nobody-here/x.csv", "-o", "m"], "must be a file"),
        (["train", "static", "--data", "~nobody-here/x.csv", "-o", "m"], "~nobody-here/x.csv"),
        (["train", "adapter", "--data", "~nobody-here/x.csv", "-o", "m"], "~nobody-here/x.csv"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_the_home_of_nobody_is_no_traceback(
    newsnest, tmp_path: Path, monkeypatch, tiny_model: Path, arguments, wanted
):
    monkeypatch.chdir(tmp_path)
    Path("news.jsonl").write_text('{"id": "1", "title": "Sea wall breached"}\n')
    Path("pairs.csv").write_text("text1,text2,score\nSea wall,Rates held,1\n")
    base = ["--base", tiny_model] if arguments[0] == "train" else []
    assert wanted in newsnest(*arguments, *base, status=1).stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("option", "wanted"),
    [
        (["--min-similarity", "0.5"], "'0.5' is not level=cosine, e.g. story=0.5"),
        (["--min-similarity", "story=high"], "'high' is not a number, e.g. story=0.5"),
        (["--field", "text"], "'text' is not name=value, e.g. text=body"),
    ],
)
def test_what_was_mistyped_is_shown_how_it_is_typed(newsnest, option: list[str], wanted: str):
    assert wanted in newsnest("cluster", "x.jsonl", "-o", "n", *option, status=2).stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["cluster"],
        ["cluster", "x.jsonl"],
        ["cluster", "x.jsonl", "-o", "n", "--order", "sideways"],
        ["cluster", "x.jsonl", "-o", "n", "--min-similarity", "0.4"],
        ["cluster", "x.jsonl", "-o", "n", "--min-similarity", "story=high"],
        ["cluster", "x.jsonl", "-o", "n", "--time-scale", "1 fortnight"],
        ["cluster", "x.jsonl", "-o", "n", "--time-scale", "0d"],
        ["cluster", "x.jsonl", "-o", "n", "--time-weight", "1"],
        ["cluster", "x.jsonl", "-o", "n", "--field", "text"],
        ["cluster", "x.jsonl", "-o", "n", "--format", "docx"],
        ["cluster", "-", "-", "-o", "n"],
        ["show"],
        ["show", "n", "--limit", "0"],
        ["show", "n", "--run", "last"],
        ["export", "n"],
        ["evaluate", "clusters", "n"],
        ["evaluate", "pairs", "p.csv", "--seed", "-1"],
        ["hardness", "--pairs", "p.csv", "--seed", "-1"],
        ["nonsense"],
        ["--nonsense"],
    ],
    ids=" ".join,
)
def test_what_was_mistyped_exits_with_2(newsnest, tmp_path: Path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    result = newsnest(*arguments, status=2)
    assert result.stdout == ""
    assert "Usage: newsnest" in result.stderr
    assert "Error: " in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_command_ends_like_one(newsnest, nest: Path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("newsnest.nest.Nest", interrupted)
    assert newsnest("show", nest, status=130).stderr == "\nnewsnest: interrupted.\n"


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["clustr"], "No such command 'clustr'. Did you mean 'cluster'?"),
        (["train", "matrioshka"], "No such command 'matrioshka'. Did you mean 'matryoshka'?"),
        (["evaluate", "pair"], "No such command 'pair'. Did you mean 'pairs'?"),
        (["cluster", "x", "-o", "n", "--order", "fine"], "'fine-to-coarse', 'coarse-to-fine'."),
        (["cluster", "x", "-o", "n", "--order", "fine-coarse"], "Did you mean 'fine-to-coarse'?"),
        (["cluster", "x", "-o", "n", "--format", "jsnl"], "'xml'. Did you mean 'jsonl'?"),
        (["cluster", "x", "-o", "n", "--date-order", "DYM"], "Did you mean 'YMD'?"),
        (["cluster", "x", "-o", "n", "--formt", "csv"], "Did you mean '--format'?"),
    ],
)
def test_a_misspelt_word_is_told_which_was_meant(newsnest, arguments: list[str], wanted: str):
    assert wanted in newsnest(*arguments, status=2).stderr
