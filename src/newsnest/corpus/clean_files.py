"""Files are cleaned by a profile: what each rule did, with examples, and the rows that stay."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from newsnest.corpus.clean import Cleaned, clean_article, filtered_by
from newsnest.corpus.clean_profile import Profile
from newsnest.corpus.columns import Columns
from newsnest.corpus.dates.orders import DateOrders
from newsnest.corpus.fields import REMOVED, cell_text, no_text, was_removed
from newsnest.corpus.json.values import plain_value
from newsnest.corpus.options import ReadOptions
from newsnest.corpus.read import article_maker, read_made
from newsnest.corpus.rows import Row, Tally, as_text
from newsnest.drafts import drafted
from newsnest.errors import InputError, ParameterError
from newsnest.invisible import clean_surrogates
from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Notice, Rejected

_AS_THEY_COME = ReadOptions()
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Example:
    """What a rule did to one article: its id, or file and line, and the part before and after.

    Of a dropped article, `part` is "" and `after` is the reason.
    """

    article: str
    part: str
    before: str
    after: str


@dataclass(slots=True)
class RuleCount:
    """How often a rule did something, with the first examples.

    `changed` counts parts of articles that it changed or emptied, `dropped` articles that it
    dropped, `without`, of a filter, articles that have none of its columns, which it lets through.
    """

    rule: str
    changed: int = 0
    dropped: int = 0
    without: int = 0
    examples: list[Example] = field(default_factory=list)


@dataclass(slots=True)
class CleanReport:
    """What became of the rows of files.

    Parameters
    ----------
    profile, digest
        Which profile, and the digest of its rules.
    rows
        All that were read: kept + dropped + rejected.
    kept, changed, dropped
        Articles that stay, those of them that were changed, and those that a rule dropped.
    rejected
        Rows that are no articles, as `newsnest cluster` would set them aside.
    rules
        By rule, in the order of the profile; a rule that did nothing counts 0.
    notices
        What readers noticed.
    first_rejected
        The first row that is no article.
    """

    profile: str
    digest: str
    rows: int = 0
    kept: int = 0
    changed: int = 0
    dropped: int = 0
    rejected: int = 0
    rules: dict[str, RuleCount] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    first_rejected: Rejected | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the report, ready for JSON."""
        return {**asdict(self), "rules": [asdict(rule) for rule in self.rules.values()]}


@dataclass(frozen=True, slots=True)
class _Done:
    """A row after cleaning."""

    article: str
    values: Mapping[str, object]
    cleaned: Cleaned
    before: str


@dataclass(frozen=True, slots=True)
class _Job:
    """How files are cleaned; the articles they make are added to `articles`, unless it is None."""

    profile: Profile
    output: Path | None
    options: ReadOptions
    examples: int
    articles: list[Article] | None = None


def clean_files(
    paths: Sequence[str | Path],
    profile: Profile,
    *,
    output: Path | None = None,
    options: ReadOptions = _AS_THEY_COME,
    examples: int = _EXAMPLES,
    progress: Progress = SILENT,
) -> CleanReport:
    """Clean files, and write what stays.

    Titles, texts and summaries are cleaned where they stand; every other field stays as it is. The
    articles of the output are those that `newsnest cluster --profile` makes of the input.

    Parameters
    ----------
    paths
        See `newsnest.corpus.read_articles`.
    profile
        See `newsnest.corpus.load_profile`.
    output
        A .jsonl file that is written whole or not at all; None writes nothing.
    options
        How files are read.
    examples
        Most examples of each rule.
    progress
        One task a file.

    Raises
    ------
    InputError
        If a file cannot be read, there is no row at all, none is left to write, or a pattern takes
        too long. `output` then stays as it was.
    ParameterError
        If `output` does not end in .jsonl, is one of the files, or cannot be written.

    Notes
    -----
    Memory does not grow with the files. Where a row has a text and a summary too, minimum
    lengths that drop look at the text alone, as clustering does.

    Example
    -------
    >>> from newsnest.corpus import load_profile
    >>> from newsnest.corpus.sample import sample_path
    >>> clean_files([sample_path()], load_profile("generic")).kept
    499
    """
    return _clean(paths, _Job(profile, output, options, examples), progress)


def clean_files_with_articles(
    paths: Sequence[str | Path],
    profile: Profile,
    *,
    output: Path | None = None,
    options: ReadOptions = _AS_THEY_COME,
    examples: int = _EXAMPLES,
    progress: Progress = SILENT,
) -> tuple[CleanReport, list[Article]]:
    """Clean files as `clean_files` does, and return the articles `newsnest cluster` makes of them.

    Files are read once. Languages are those that they say; none is detected.
    """
    articles: list[Article] = []
    job = _Job(profile, output, options, examples, articles)
    report = _clean(paths, job, progress)
    return report, [*{article.id: article for article in articles}.values()]  # the newest


def _clean(paths: Sequence[str | Path], job: _Job, progress: Progress) -> CleanReport:
    profile, output, options = job.profile, job.output, job.options
    if output is not None:
        _check_output(output, paths)
    report = CleanReport(profile.name, profile.digest)
    names = [o.rule for kind in (profile.filters, profile.replace, profile.minimum) for o in kind]
    report.rules = {name: RuleCount(name) for name in names}
    beside = replace(
        profile, filters=(), minimum=tuple(o for o in profile.minimum if o.otherwise == "empty")
    )
    columns = Columns(options.fields, whole_rows=True, header=options.header)
    plain = replace(options, profile=profile, detect_language=False)
    article_of = article_maker(plain, columns) if job.articles is not None else None

    def make(row: Row, found: Columns, tally: Tally, orders: DateOrders) -> _Done | Rejected:
        if job.articles is not None and article_of is not None:
            # With counts of its own, for `_clean_row` counts the same cells.
            article = article_of(row, found, Tally(row.file), orders)
            if isinstance(article, Article):
                job.articles.append(article)
        return _clean_row(row, found, tally, (profile, beside))

    items = read_made(paths, make, columns=columns, options=options, progress=progress)
    if output is None:
        _count(items, report, job, None)
        _check_rows(report, paths)
        return report
    try:
        with drafted(output) as draft:
            with draft.open("w", encoding="utf-8") as file:
                _count(items, report, job, file)
            _check_rows(report, paths)
            if not report.kept:
                raise InputError(
                    f"clean: nothing is left to write to {output}: {report.rejected:,} rows are no "
                    f"articles, {report.dropped:,} were dropped. Look at them without -o."
                )
    except OSError as error:
        raise ParameterError(
            f"clean: output must be a file that can be written, got {output} ({error.strerror}). "
            "Choose another name, or see to its folder."
        ) from error
    return report


def _check_output(output: Path, paths: Sequence[str | Path]) -> None:
    if not output.parent.is_dir():
        raise ParameterError(
            f"clean: output must lie in a folder that exists, got {output}. Make the folder first."
        )
    if output.suffix.lower() != ".jsonl":
        raise ParameterError(f"clean: output must end in .jsonl, got {output.name!r}. Name it so.")
    if any(Path(path).resolve() == output.resolve() for path in paths):
        raise ParameterError(
            f"clean: output must be another file than the input, got {output} twice. Choose "
            "another name."
        )


def _check_rows(report: CleanReport, paths: Sequence[str | Path]) -> None:
    if not report.rows:
        raise InputError(
            f"no article could be read from {', '.join(map(str, paths))}: there are no rows. Check "
            "that it is the right file."
        )


def _clean_row(
    row: Row, columns: Columns, tally: Tally, profiles: tuple[Profile, Profile]
) -> _Done | Rejected:
    """Clean what an article would be made of, then the other titles, texts and summaries."""
    profile, beside = profiles
    found = columns.match(tuple(row.values))
    values = dict(row.values)
    try:
        texts = _without_mark_up(row, columns, values, tally)
    except TypeError as error:
        return row.reject(f"{error}, expected a text")
    main: dict[str, str] = {}  # part → the column an article is made of
    for column, (part, _) in texts.items():
        main.setdefault(part, column)
    if not texts:
        return row.reject(no_text(row, columns))
    if was_removed(*(texts[column][1] for column in main.values())):
        tally.count(REMOVED, f"at {row.where}")
    cleaned = clean_article([texts[column] for column in main.values()], row.values, profile)
    changes = list(cleaned.changes)
    for column, after in zip(main.values(), cleaned.texts, strict=True):
        if after != texts[column][1]:
            values[column] = after
    for column in texts.keys() - set(main.values()):
        other = clean_article([texts[column]], {}, beside)
        changes += other.changes
        if other.changes:
            values[column] = other.texts[0]
    before = " / ".join(texts[column][1] for column in main.values())
    name = next((str(row.values[c]) for c in found.get("id", ()) if row.values[c]), "")
    done = Cleaned(cleaned.texts, tuple(changes), cleaned.drop)
    return _Done(name or f"{row.file}:{row.line}", values, done, before)


def _without_mark_up(
    row: Row, columns: Columns, values: dict[str, object], tally: Tally
) -> dict[str, tuple[str, str]]:
    """Return column → part and text of all that are not empty; values lose their mark-up."""
    texts: dict[str, tuple[str, str]] = {}
    found = columns.match(tuple(row.values))
    for name in ("title", "text", "summary"):
        part = "title" if name == "title" else "text"
        for column in found.get(name, ()):
            try:
                value = columns.value(name, column, row.values[column])
                text = cell_text(name, value, row, tally)
            except TypeError as error:
                raise TypeError(f"{column!r} is {error}") from None
            is_changed = text != as_text(plain_value(row.values[column]))
            text = " ".join(text.split()) if part == "title" else text
            if text:
                texts[column] = (part, text)
            if is_changed:
                values[column] = text
    return texts


def _count(
    items: Iterable[_Done | Rejected | Notice],
    report: CleanReport,
    job: _Job,
    file: TextIO | None,
) -> None:
    for item in items:
        if isinstance(item, Notice):
            report.notices.append(item)
            continue
        report.rows += 1
        if isinstance(item, Rejected):
            report.rejected += 1
            report.first_rejected = report.first_rejected or item
            continue
        _count_row(item, report, job.examples)
        for rule in job.profile.filters:
            report.rules[rule.rule].without += filtered_by(rule, item.values) is None
        if file is not None and item.cleaned.drop is None:
            plain = {name: _plain(value) for name, value in item.values.items()}
            text = json.dumps(plain, ensure_ascii=False, default=str)
            file.write(clean_surrogates(text) + "\n")


def _plain(value: object) -> object:
    """Return what JSON can hold of a value of a table."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.isoformat() if isinstance(value, date) else value


def _count_row(done: _Done, report: CleanReport, examples: int) -> None:
    drop = done.cleaned.drop
    # What was done to an article that is then dropped is not counted: it is not there any more.
    for change in done.cleaned.changes if drop is None else ():
        rule = report.rules[change.rule]
        rule.changed += 1
        if len(rule.examples) < examples:
            rule.examples.append(Example(done.article, change.part, change.before, change.after))
    if drop is None:
        report.kept += 1
        report.changed += bool(done.cleaned.changes)
        return
    report.dropped += 1
    rule = report.rules.setdefault(drop.rule, RuleCount(drop.rule))
    rule.dropped += 1
    if len(rule.examples) < examples:
        rule.examples.append(Example(done.article, "", done.before, drop.reason))
