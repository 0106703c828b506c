"""Language detection: how often the certain guesses are right, and all after settling.

python benchmarks/languages.py --data FOLDER

Headlines of uci_news (English) and fr_headlines (French), sentences of sib200 in 20 languages; the
last set is settled as one corpus of all 20 languages.
"""

from __future__ import annotations

import time
from typing import Any

import measured
from newsnest.corpus import settle_languages
from newsnest.corpus.language import detect_language
from newsnest.types import Article

SENTENCES = {
    "amh_Ethi": "am", "arb_Arab": "ar", "cat_Latn": "ca", "deu_Latn": "de", "eng_Latn": "en",
    "fra_Latn": "fr", "hau_Latn": "ha", "hin_Deva": "hi", "ita_Latn": "it", "jpn_Jpan": "ja",
    "kor_Hang": "ko", "nld_Latn": "nl", "pol_Latn": "pl", "por_Latn": "pt", "rus_Cyrl": "ru",
    "spa_Latn": "es", "swh_Latn": "sw", "tur_Latn": "tr", "ukr_Cyrl": "uk", "zho_Hans": "zh",
}  # fmt: skip


def score(name: str, texts: list[str], wanted: list[str]) -> dict[str, Any]:
    detect_language("loads the model")
    start = time.perf_counter()
    found = [detect_language(text) for text in texts]
    seconds = time.perf_counter() - start
    articles = [
        Article(str(i), text, lang=code)
        for i, (text, code) in enumerate(zip(texts, found, strict=True))
    ]
    settled = {a.id: a.lang for a in settle_languages(articles) if isinstance(a, Article)}
    certain = [(f, w) for f, w in zip(found, wanted, strict=True) if f]
    return {
        "set": name,
        "texts": len(texts),
        "certain": round(len(certain) / len(texts), 4),
        "certain_and_wrong": sum(f != w for f, w in certain),
        "right_after_settling": round(
            sum(settled[str(i)] == w for i, w in enumerate(wanted)) / len(texts), 4
        ),
        "microseconds_a_text": round(1e6 * seconds / len(texts)),
    }


def main() -> None:
    options = measured.arguments(__doc__ or "").parse_args()
    rows = []
    for name, code in (("uci_news", "en"), ("fr_headlines", "fr")):
        titles = [row["title"] for row in measured.load_rows(options.data, name)]
        rows.append(score(name, titles, [code] * len(titles)))
    sentences = [r for r in measured.load_rows(options.data, "sib200") if r["lang"] in SENTENCES]
    rows.append(
        score("sib200", [r["text"] for r in sentences], [SENTENCES[r["lang"]] for r in sentences])
    )
    for row in rows:
        print(row)
    measured.write_result(
        "languages", {"seeds": {}, "rows": rows}, py3langid=measured.version("py3langid")
    )


if __name__ == "__main__":
    main()
