"""Files of retrieval: as BEIR has them, with grades of their own, and as pairs."""

from __future__ import annotations

import json

import pytest

from newsnest.errors import InputError, ParameterError
from newsnest.labelled import read_query_items, read_retrieval


@pytest.fixture
def files(tmp_path):
    corpus, queries, qrels = (tmp_path / name for name in ("c.csv", "q.csv", "r.csv"))
    corpus.write_text("id,title,text\n1,Rates,Rates held\n2,,Flood\n3,,\n")
    queries.write_text("id,text\na,Interest?\nb,Water?\n")
    qrels.write_text("query_id,doc_id,score\na,1,1\na,2,4\nb,2,-1\nb,9,2\nz,1,2\n")
    return corpus, queries, qrels


GRADES = {"1": 4.0, "2": 3.0, "4": 1.0}


def test_everything_left_out_is_counted_by_reason(files):
    task = read_retrieval(files, grades=GRADES)
    assert task.documents == {"1": "Rates held", "2": "Flood"}
    assert task.queries == {"a": "Interest?", "b": "Water?"}
    assert task.qrels == {"a": {"1": 4.0, "2": 1.0}}
    assert (task.without_text, task.dropped) == (1, 1)
    assert (task.unknown_documents, task.unknown_queries) == (1, 1)


def test_files_of_beir_are_read_as_they_are(tmp_path):
    corpus, queries, qrels = (tmp_path / name for name in ("c.jsonl", "q.jsonl", "test.tsv"))
    corpus.write_text(json.dumps({"_id": "x1", "title": "T", "text": "body", "metadata": {}}))
    queries.write_text(json.dumps({"_id": "q1", "text": "what?"}))
    qrels.write_text("query-id\tcorpus-id\tscore\nq1\tx1\t2\n")
    task = read_retrieval((corpus, queries, qrels))
    assert (task.documents, task.qrels) == ({"x1": "T. body"}, {"q1": {"x1": 2.0}})


def test_that_there_are_no_scores_must_be_said_and_each_judgement_is_worth_one(files):
    files[2].write_text("query_id,doc_id,grade\na,1,0\n")
    wanted = 'no row has the field "score". .*query_id, doc_id, grade. Or say .*--grades none'
    with pytest.raises(InputError, match=wanted):
        read_retrieval(files)
    with pytest.raises(InputError, match=wanted):
        read_retrieval(files, grades=GRADES)
    assert read_retrieval(files, grades={"": 1.0}).qrels == {"a": {"1": 1.0}}


def test_only_one_split_is_read_and_the_others_are_counted(files):
    files[2].write_text("query_id,doc_id,score,split\na,1,1,test\na,2,1,train\nb,1,1,train\n")
    task = read_retrieval(files, split="test")
    assert (task.qrels, task.other_splits) == ({"a": {"1": 1.0}}, 2)
    with pytest.raises(InputError, match='no row has the split "dev". Choose among test, train'):
        read_retrieval(files, split="dev")


def test_columns_may_have_names_of_their_own(files):
    files[2].write_text("query_id,passage,score\na,1,1\n")
    task = read_retrieval(files, fields={"doc_id": "passage"})
    assert task.qrels == {"a": {"1": 1.0}}
    with pytest.raises(InputError, match='no row has the field "doc_id"'):
        read_retrieval(files)
    with pytest.raises(ParameterError, match="read_retrieval: fields must name some of .*'docid'"):
        read_retrieval(files, fields={"docid": "passage"})


@pytest.mark.parametrize("score", ["-1", "nan", "high"])
def test_a_score_that_is_no_gain_is_refused_with_the_cure(files, score):
    files[2].write_text(f"query_id,doc_id,score\na,1,{score}\n")
    with pytest.raises(InputError, match=rf'line 2: the field "score" holds .{score}.*1=4,2=3'):
        read_retrieval(files)


def test_ids_must_be_there_and_be_different(files):
    files[0].write_text("id,text\n1,x\n1,y\n")
    with pytest.raises(InputError, match="line 3: the id '1' stood before"):
        read_retrieval(files, grades=GRADES)
    files[0].write_text("id,text\n,x\n")
    with pytest.raises(InputError, match='line 2: the row has no "id"'):
        read_retrieval(files, grades=GRADES)


def test_a_pair_judged_twice_must_have_the_same_score(files):
    files[2].write_text("query_id,doc_id,score\na,1,1\na,1,1\n")
    assert read_retrieval(files).qrels == {"a": {"1": 1.0}}
    files[2].write_text("query_id,doc_id,score\na,1,1\na,1,2\n")
    with pytest.raises(InputError, match="line 3: document '1' was judged for query 'a' before"):
        read_retrieval(files)


def test_pairs_pool_their_items_and_a_query_does_not_look_for_itself(tmp_path):
    file = tmp_path / "pairs.csv"
    file.write_text(
        "query,item,score,split\nx,y,1,test\nx,z,0,test\ny,x,1,test\nx,x,1,test\n,y,1,test\n"
        "p,q,1,train\n"
    )
    task = read_query_items(file, split="test")
    assert task.queries == {"q0": "x", "q1": "y"}
    assert task.documents == {"d0": "y", "d1": "z", "d2": "x"}
    assert task.qrels == {"q0": {"d0": 1.0, "d1": 0.0}, "q1": {"d2": 1.0}}
    assert task.never == {"q0": ("d2",), "q1": ("d0",)}
    assert (task.without_text, task.other_splits) == (1, 1)


def test_pairs_need_both_columns(tmp_path):
    file = tmp_path / "pairs.csv"
    file.write_text("text1,text2\nx,y\n")
    with pytest.raises(InputError, match='no row has the field "query"'):
        read_query_items(file)
    fields = {"query": "text1", "item": "text2"}
    assert read_query_items(file, fields=fields).qrels == {"q0": {"d0": 1.0}}
