"""Which encoder `auto` is, by the languages of the articles that were read."""

from collections.abc import Mapping
from dataclasses import replace

from newsnest.embed import AUTO, KNOWN, multilingual
from newsnest.options import Options
from newsnest.progress import SILENT, Progress

_ENGLISH, _MANY = "minilm", "multilingual"
MANY_FOREIGN = 0.1
"""The share of articles in other languages than an encoder's from which these count."""


def with_encoder(
    options: Options, languages: Mapping[str, int], progress: Progress = SILENT
) -> Options:
    """Return options that name an encoder: `auto` becomes minilm or multilingual, and says so.

    `languages` counts the articles of each code, "" where it is unknown. English is what minilm
    knows; where a tenth of the articles or more are in other languages, multilingual is taken if
    its weights are on this machine.
    """
    if options.encoder != AUTO:
        return options
    known = KNOWN[_ENGLISH].languages
    foreign = {code: n for code, n in languages.items() if code and code not in known}
    share = sum(foreign.values()) / max(1, sum(languages.values()))
    chosen = _MANY if share >= MANY_FOREIGN and multilingual.is_at_hand() else _ENGLISH
    codes = ", ".join(sorted(foreign, key=lambda code: (-foreign[code], code))[:5])
    reason = f"{share:.0%} of the articles are in languages other than English"
    if codes:
        reason += f" ({codes})"
    progress.note(f"encoder auto: {chosen}; {reason}")
    if share >= MANY_FOREIGN and chosen == _ENGLISH:
        progress.note(f"for their languages, run: {multilingual.INSTALL}")
    return replace(options, encoder=chosen)
