"""What the bundled sample promises, read from its files alone."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import pytest

from newsnest.corpus.sample import gold_path, sample_path

FUNCTION_WORDS = {
    "en": "the of and to in a for on is was with that by from has have said after as were its",
    "fr": "le la les de des du et à en un une pour dans est sur au aux par qui que ses d l a",
    "es": "el la los las de del y a en un una para con por que se su sus al es ha más tras",
}
BROKEN_LINES = 5  # one of them an earlier version of another


def broken_reason(line: str, seen: set[str]) -> str:
    """Say why a line is no article, "" if it is one."""
    try:
        row = json.loads(line)
    except ValueError:
        return "not JSON"
    if not isinstance(row, dict):
        return "not an object"
    if not isinstance(row["text"], str):
        return "text is not a text"
    if not row["title"] and not row["text"]:
        return "no text"
    if row["id"] in seen:
        return "earlier version"
    seen.add(row["id"])
    return ""


@cache
def lines() -> tuple[tuple[str, str], ...]:
    seen: set[str] = set()
    found = sample_path().read_text(encoding="utf-8").splitlines()
    return tuple((line, broken_reason(line, seen)) for line in found)


@cache
def articles() -> dict[str, dict[str, str]]:
    rows = [json.loads(line) for line, reason in lines() if not reason]
    return {row["id"]: row for row in rows}


@cache
def gold() -> dict[str, dict[str, str]]:
    rows = [json.loads(line) for line in gold_path().read_text(encoding="utf-8").splitlines()]
    assert len({row["id"] for row in rows}) == len(rows)
    return {row["id"]: row for row in rows}


@cache
def stories() -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name, row in gold().items():
        found[row["story"]].append(name)
    return dict(found)


def language(text: str) -> str:
    words = Counter(re.findall(r"[^\W\d_]+", text.lower()))
    return max(FUNCTION_WORDS, key=lambda lang: sum(words[w] for w in FUNCTION_WORDS[lang].split()))


def moment(row: dict[str, str]) -> datetime | None:
    try:
        return datetime.fromisoformat(row["date"])
    except (KeyError, ValueError):
        return None


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def test_sample_files_are_package_data_below_450_kilobytes() -> None:
    package = files("newsnest.corpus.sample")
    for path in (sample_path(), gold_path()):
        assert package.joinpath(path.name).is_file()
    assert sample_path().stat().st_size + gold_path().stat().st_size < 450_000


def test_each_broken_row_is_broken_in_its_own_way_and_they_are_scattered() -> None:
    broken = [(at, reason) for at, (_, reason) in enumerate(lines()) if reason]
    assert sorted(reason for _, reason in broken) == [
        "earlier version",
        "no text",
        "not JSON",
        "not an object",
        "text is not a text",
    ]
    assert len(broken) == BROKEN_LINES
    assert all(after - before > 50 for (before, _), (after, _) in pairwise(broken))


def test_a_broken_row_names_no_gold_label_unless_it_repeats_an_id() -> None:
    for line, reason in lines():
        if reason not in ("", "earlier version"):
            assert not any(f'"{name}"' in line for name in gold())


def test_gold_covers_every_article_once_and_in_order() -> None:
    assert list(gold()) == list(articles())
    assert len(gold()) == 498


def test_articles_carry_no_gold_labels() -> None:
    allowed = {"id", "title", "text", "lang", "date", "source", "url"}
    assert all(set(row) <= allowed for row in articles().values())


def test_gold_is_nested_and_has_the_promised_shape() -> None:
    topic_of: dict[str, str] = {}
    theme_of: dict[str, str] = {}
    for row in gold().values():
        assert topic_of.setdefault(row["story"], row["topic"]) == row["topic"]
        assert theme_of.setdefault(row["topic"], row["theme"]) == row["theme"]
    assert (len(set(theme_of.values())), len(theme_of), len(topic_of)) == (7, 24, 91)


def test_story_sizes_fall_from_twenty_to_one() -> None:
    sizes = sorted((len(ids) for ids in stories().values()), reverse=True)
    assert sizes[0] == 20
    assert sum(size >= 10 for size in sizes) >= 10
    assert sum(2 <= size <= 6 for size in sizes) > len(sizes) / 2
    assert sizes.count(1) >= 4


def test_ids_are_numbered_after_shuffling() -> None:
    assert list(articles()) == [f"s-{number:04d}" for number in range(1, len(articles()) + 1)]
    neighbours = [gold()[one]["story"] == gold()[two]["story"] for one, two in pairwise(gold())]
    assert sum(neighbours) < len(neighbours) / 10


def test_half_the_articles_are_english_and_a_quarter_each_french_and_spanish() -> None:
    share = Counter(row["lang"] for row in articles().values() if "lang" in row)
    assert set(share) == {"en", "fr", "es"}
    assert share["en"] / len(articles()) == pytest.approx(0.5, abs=0.05)
    assert share["fr"] / len(articles()) == pytest.approx(0.25, abs=0.05)
    assert share["es"] / len(articles()) == pytest.approx(0.25, abs=0.05)


def test_articles_are_in_the_language_they_name() -> None:
    outlet_language = {row["source"]: row["lang"] for row in articles().values() if "lang" in row}
    assert len(outlet_language) == 15
    for row in articles().values():
        assert language(f"{row['title']} {row['text']}") == outlet_language[row["source"]], row


def test_most_stories_are_told_in_several_languages() -> None:
    several = 0
    for ids in stories().values():
        several += len({language(articles()[name]["text"]) for name in ids}) > 1
    assert several > 0.8 * len(stories())


def test_a_few_articles_lack_language_or_date_and_one_date_is_unreadable() -> None:
    rows = articles().values()
    assert sum("lang" not in row for row in rows) == 14
    assert sum("date" not in row for row in rows) == 8
    assert sum("date" in row and moment(row) is None for row in rows) == 1


def test_dates_are_aware_and_span_four_weeks() -> None:
    moments = [when for row in articles().values() if (when := moment(row))]
    assert all(when.tzinfo for when in moments)
    assert timedelta(weeks=3) < max(moments) - min(moments) < timedelta(weeks=5)


def test_the_ebola_story_comes_in_two_bursts() -> None:
    rows = (articles()[name] for name in stories()["ebola-kasai"])
    moments = sorted(when for row in rows if (when := moment(row)))
    gap, at = max((after - before, at) for at, (before, after) in enumerate(pairwise(moments), 1))
    assert gap > timedelta(days=4)
    assert min(at, len(moments) - at) >= 3


def test_most_stories_with_dates_start_and_end_within_five_days() -> None:
    short = []
    for ids in stories().values():
        moments = [when for name in ids if (when := moment(articles()[name]))]
        if len(moments) > 1:
            short.append(max(moments) - min(moments) < timedelta(days=5))
    assert sum(short) > 0.85 * len(short)


def test_addresses_lie_in_the_example_domain() -> None:
    urls = [row["url"] for row in articles().values()]
    assert all(re.fullmatch(r"https://[a-z-]+\.example/2025/09/\d\d/[a-z0-9-]+", u) for u in urls)
    assert len(set(urls)) == len(urls)


def test_articles_that_copy_nothing_are_25_to_70_words_long_and_all_differ() -> None:
    own = [articles()[name] for name, row in gold().items() if "copy_of" not in row]
    assert all(25 <= len(row["text"].split()) <= 70 for row in own)
    assert all(1 <= len(re.split(r"(?<=[.?!]) (?=\S)", row["text"])) <= 5 for row in own)
    for field in ("title", "text"):
        assert len({row[field] for row in own}) == len(own)


def copy_pairs() -> list[tuple[Any, Any]]:
    return [
        (articles()[name], articles()[row["copy_of"]])
        for name, row in gold().items()
        if "copy_of" in row
    ]


def test_wire_copies_point_to_an_original_of_the_same_story_by_another_outlet() -> None:
    assert len(copy_pairs()) == 52
    for copy, original in copy_pairs():
        assert gold()[copy["id"]]["story"] == gold()[original["id"]]["story"]
        assert "copy_of" not in gold()[original["id"]]
        assert copy["source"] != original["source"]
        first, second = moment(original), moment(copy)
        assert not first or not second or first < second


def test_wire_copies_say_what_their_original_says() -> None:
    whole = cut = 0
    for copy, original in copy_pairs():
        told, source = words(copy["text"]), words(original["text"])
        if told == source[: len(told)] and len(told) < len(source):
            cut += 1
            assert len(told) > len(source) / 2
        else:
            whole += 1
            assert told[-len(source) :] == source
        assert set(words(original["title"])) <= set(words(copy["title"]))
    assert cut >= 5
    assert whole > cut
