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
        (["news.jsonl", "--min-similarity", "storey=0.4"], "theme, topic, story, got 'storey'"),
        (["news.jsonl", "--min-similarity", "story=1.4"], "must be in [-1, 1], got 1.4 for story"),
        (["news.jsonl", "--min-similarity", "story=nan"], "must be in [-1, 1], got nan for story"),
        (["news.jsonl", "--time-weight", "nan"], "time_weight must be in [0, 1), got nan"),
        (["news.jsonl", "--encoder", "minilmm"], "minilm, static, tfidf, multilingual, a model"),
        (["news.jsonl", "--encoder", "."], "must hold a sentence-transformers model"),
        (["news.jsonl", "--encoding", "utf-9"], "encoding must be one Python knows, got 'utf-9'"),
        (["bad.jsonl"], "no article could be read; rows set aside: 1 (the first: bad.jsonl:1: "),
        (["bad.jsonl", "--strict"], "bad.jsonl, line 1: "),
        (["news.jsonl", "--format", "parquet"], "news.jsonl"),
    ],
)
def test_cluster_says_what_is_wrong(
    newsnest, tmp_path: Path, monkeypatch, arguments: list[str], wanted: str
):
    monkeypatch.chdir(tmp_path)
    Path("news.jsonl").write_text('{"id": "1", "title": "Sea wall breached"}\n')
    Path("bad.jsonl").write_text("{oh\n")
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
    assert "has no level 'storey'. It has: theme, topic, story." in line
    assert "has no run 7. It has: 1." in said(newsnest("show", nest, "--run", "7", status=1))


def test_export_and_report_say_what_is_wrong_with_the_output(newsnest, nest: Path, tmp_path: Path):
    wrong = tmp_path / "out.xls"
    assert ".jsonl, .csv, .parquet" in said(newsnest("export", nest, "-o", wrong, status=1))
    missing = tmp_path / "nowhere"
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
    assert "holds no finished run. Run the same" in said(newsnest("show", nest, status=1))
    assert "run 1 is not finished" in said(newsnest("show", nest, "--run", "1", status=1))
    assert "unfinished" in newsnest("show", nest, "--runs").stdout
    assert "bad.jsonl:1: " in newsnest("show", nest, "--rejected").stdout


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
        ["evaluate", "clusters", "n", "--gold", "g.csv"],
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
