"""Language detection: how often the certain guesses are right, and all after settling.

python benchmarks/languages.py --data FOLDER

Headlines (uci_news, abc_headlines, huffpost: English; fr_headlines: French; masakhanews: 15
languages), sentences of tatoeba in the languages that can be detected, and of sib200 in 20, whole
and their first six words (15 characters without spaces). Each set is settled as one corpus,
"by outlet" with an outlet for each language; the last sets have minorities of ten articles each.
"before" is the rule until 2026-11: guesses of .5 stand, others go to the likeliest language of
those that 1 % of the corpus speaks.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any

import measured
from newsnest.corpus import settle_languages
from newsnest.corpus.language import _identifier, detect_language
from newsnest.corpus.language_codes import normalise_language
from newsnest.types import Article

SENTENCES = {
    "amh_Ethi": "am", "arb_Arab": "ar", "cat_Latn": "ca", "deu_Latn": "de", "eng_Latn": "en",
    "fra_Latn": "fr", "hau_Latn": "ha", "hin_Deva": "hi", "ita_Latn": "it", "jpn_Jpan": "ja",
    "kor_Hang": "ko", "nld_Latn": "nl", "pol_Latn": "pl", "por_Latn": "pt", "rus_Cyrl": "ru",
    "spa_Latn": "es", "swh_Latn": "sw", "tur_Latn": "tr", "ukr_Cyrl": "uk", "zho_Hans": "zh",
}  # fmt: skip


UNSPACED = {"ja", "zh"}
DETECTED_AS = {
    "pcm": "en",
    "rn": "rw",
    "ti": "am",
}  # no language of the detector, and its neighbour
MINORITIES = ("ar", "de", "en", "es", "hi", "it", "ru", "zh")
SEED = 0

Labelled = list[tuple[str, str]]


def score(name: str, texts: Labelled, *, outlets: bool = False, main: str = "") -> dict[str, Any]:
    detect_language("loads the model")
    start = time.perf_counter()
    found = [detect_language(text) for text, _ in texts]
    seconds = time.perf_counter() - start
    articles = [
        Article(str(i), text, lang=code, source=wanted if outlets else "")
        for i, ((text, wanted), code) in enumerate(zip(texts, found, strict=True))
    ]
    start = time.perf_counter()
    settled = {a.id: a.lang for a in settle_languages(articles) if isinstance(a, Article)}
    settling = time.perf_counter() - start
    right = [settled[str(i)] == wanted for i, (_, wanted) in enumerate(texts)]
    row = {
        "set": name,
        "texts": len(texts),
        "certain": round(sum(map(bool, found)) / len(texts), 4),
        "certain_and_wrong": sum(f != w for f, (_, w) in zip(found, texts, strict=True) if f),
        "right_after_settling": round(sum(right) / len(texts), 4),
        "right_before": round(before(texts) / len(texts), 4),
        "microseconds_a_text": round(1e6 * seconds / len(texts)),
        "microseconds_to_settle": round(1e6 * settling / len(texts)),
    }
    if main:
        small = [ok for ok, (_, wanted) in zip(right, texts, strict=True) if wanted != main]
        row["minorities_right"] = f"{sum(small)} of {len(small)}"
    return row


def before(texts: Labelled) -> int:
    """Count what the rule until 2026-11 gets right."""
    ranked = [
        [(normalise_language(str(code)), p) for code, p in _identifier().rank(text[:2000])]
        for text, _ in texts
    ]
    certain = Counter(one[0][0] for one in ranked if one[0][1] >= 0.5)
    spoken = {code for code, n in certain.items() if n >= 0.01 * certain.total()}
    guesses = [
        one[0][0] if one[0][1] >= 0.5 else next((c for c, _ in one if c in spoken), one[0][0])
        for one in ranked
    ]
    return sum(guess == wanted for guess, (_, wanted) in zip(guesses, texts, strict=True))


def shortened(text: str, code: str) -> str:
    return text[:15] if code in UNSPACED else " ".join(text.split()[:6])


def main() -> None:
    options = measured.arguments(__doc__ or "").parse_args()
    rows = []
    names = {"uci_news": "en", "abc_headlines": "en", "huffpost": "en", "fr_headlines": "fr"}
    headlines = {
        name: [(row["title"], code) for row in measured.load_rows(options.data, name)]
        for name, code in names.items()
    }
    draw = random.Random(SEED)
    news = draw.sample(measured.load_rows(options.data, "masakhanews"), 5000)
    many = [
        (row["title"], DETECTED_AS.get(code, code))
        for row in news
        for code in [normalise_language(row["lang"]) or ""]
    ]
    known = {normalise_language(str(code)) for code in _identifier().labels}
    pairs = draw.sample(measured.load_rows(options.data, "tatoeba"), 8000)
    spoken = [(row["text1"], normalise_language(row["lang1"]) or "") for row in pairs]
    spoken = [(text, code) for text, code in spoken if code in known]
    whole = [
        (row["text"], SENTENCES[row["lang"]])
        for row in measured.load_rows(options.data, "sib200")
        if row["lang"] in SENTENCES
    ]
    cut = [(shortened(text, code), code) for text, code in whole]
    minor = [
        one for code in MINORITIES for one in draw.sample([t for t in cut if t[1] == code], 10)
    ]
    for name, texts in headlines.items():
        rows.append(score(name, texts))
    for name, texts in (("masakhanews titles", many), ("tatoeba", spoken), ("sib200", whole)):
        rows.append(score(name, texts))
    rows.append(score("sib200, six words", cut))
    for name, texts in (("masakhanews titles", many), ("tatoeba", spoken)):
        rows.append(score(f"{name}, by outlet", texts, outlets=True))
    rows.append(score("sib200, six words, by outlet", cut, outlets=True))
    for name, code in (("fr_headlines", "fr"), ("abc_headlines", "en")):
        small = [one for one in minor if one[1] != code]
        both = headlines[name][:1000] + small
        rows.append(score(f"{name}, 1,000, and {len(small) // 10} × 10", both, main=code))
    for row in rows:
        print(row)
    measured.write_result(
        "languages",
        {"seeds": {"draw": SEED}, "rows": rows},
        py3langid=measured.version("py3langid"),
    )


if __name__ == "__main__":
    main()
