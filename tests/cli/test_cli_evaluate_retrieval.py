"""`newsnest evaluate retrieval`, from files to scores."""

from __future__ import annotations

import json

import pytest

TEXTS = ["sea wall breached by the storm", "rates held by the bank", "cup final won by the guests"]
QUERIES = ["sea wall storm", "rates bank", "cup final guests"]


@pytest.fixture
def files(tmp_path):
    corpus, queries, qrels = (tmp_path / name for name in ("c.csv", "q.csv", "r.csv"))
    corpus.write_text("id,text\n" + "".join(f"{i},{t}\n" for i, t in enumerate(TEXTS)))
    queries.write_text("id,text\n" + "".join(f"{i},{t}\n" for i, t in enumerate(QUERIES)))
    qrels.write_text("query_id,doc_id,score\n0,0,1\n1,1,4\n2,2,-1\n1,77,2\n")
    return corpus, queries, qrels


def test_retrieval_is_scored_and_says_what_was_left_out(newsnest, files):
    command = ("evaluate", "retrieval", *files, "--encoder", "tfidf", "--grades", "1=4,2=3,4=1")
    result = newsnest(*command, "--json")
    assert "left out: 1 on unknown documents, 1 of grades without gain" in result.stderr
    told = json.loads(result.stdout)
    assert (told["documents"], told["scores"]["queries"]) == (3, 2)
    assert told["scores"]["without_relevant"] == 1
    assert told["on_unknown_documents"] == told["of_grades_without_gain"] == 1
    assert told["scores"]["map"]["value"] == told["scores"]["recall"]["10"]["value"] == 1
    words = newsnest(*command, "--quiet")
    assert words.stderr == ""
    assert words.stdout.startswith(
        "2 queries, 1 without an answer; 3 documents, encoder tfidf\n  MAP         1.000 ["
    )


def test_retrieval_takes_pairs(newsnest, tmp_path):
    file = tmp_path / "pairs.csv"
    file.write_text(
        "query,item\n" + "".join(f"{q},{t}\n" for q, t in zip(QUERIES, TEXTS, strict=True))
    )
    result = newsnest("evaluate", "retrieval", file, "--encoder", "tfidf", "--resamples", "0")
    assert "3 queries; 3 documents" in result.stdout
    assert "  MRR@10      1.000\n" in result.stdout


def test_retrieval_refuses_two_files_and_gains_that_are_none(newsnest, files):
    two = newsnest("evaluate", "retrieval", *files[:2], status=2)
    assert "Give CORPUS QUERIES QRELS, or one file of pairs; got 2 files." in two.stderr
    bad = newsnest("evaluate", "retrieval", *files, "--grades", "1=-4", status=2)
    assert "'-4' is not a gain of at least 0, e.g. 1=1" in bad.stderr
    deep = newsnest("evaluate", "retrieval", *files, "--depth", "50", status=2)
    assert "--recall-at 100 is beyond --depth 50." in deep.stderr
    pairs = newsnest("evaluate", "retrieval", files[0], "--grades", "1=4", status=2)
    assert "--grades is for CORPUS QUERIES QRELS, not for pairs." in pairs.stderr


def test_judgements_without_a_score_are_refused_unless_it_is_said(newsnest, files):
    files[2].write_text("query_id,doc_id,grade\n0,0,1\n1,1,0\n")
    command = ("evaluate", "retrieval", *files, "--encoder", "tfidf", "--resamples", "0")
    told = newsnest(*command, status=1).stderr
    assert 'no row has the field "score".' in told and "--grades none" in told
    assert "2 queries, 1 without" in newsnest(*command, "--grades", "none").stdout
    assert "1 queries, 2 without" in newsnest(*command, "--field", "score=grade").stdout
