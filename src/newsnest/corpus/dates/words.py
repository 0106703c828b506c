"""The words of dates: months, weekdays, eras and calendars, and what is said around them."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

# The languages whose months and weekdays are read, the more frequent first: the first that
# understands a spelling decides, so the order is part of the result.
LANGUAGES = (
    "en fr es de it pt nl sv da nb fi pl cs sk ro hu hr bg tr ru uk el ar fa he hi bn id vi sw "
    "ca zh ja ko"
)
_AROUND_WORDS = (
    "published updated posted modified created last first on at the of by date time oclock and "
    "utc gmt st nd rd th น ที่ วันที่ في ساعت الساعة و"
)
_DAY_FIRST_WORDS = (
    "publié publie publiée mis mise à jour le modifié vers heures heure h il alle ore "
    "pubblicato aggiornato del dal el la las los a de publicado actualizado em às as atualizado "
    "aos um uhr am den vom veröffentlicht aktualisiert stand kl klo op om uur gepubliceerd "
    "bijgewerkt publicerad uppdaterad udgivet opdateret dnia opublikowano godz o v dne thứ ngày "
    "lúc cập nhật đăng chủ saat tarihi pukul jam tanggal г в опубликовано обновлено року о "
    "klokka klokken kello ora orele ob u hod час часа годин στις ώρα"
)
_AROUND = frozenset(_AROUND_WORDS.split())
_AROUND_DAY_FIRST = frozenset(_DAY_FIRST_WORDS.split())
"""Words around a date that do not change it; those of languages that write the day first."""

_ARABIC = (
    "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    "كانون_الثاني شباط آذار نيسان أيار حزيران تموز آب أيلول تشرين_الأول تشرين_الثاني كانون_الأول",
    "جانفي فيفري مارس أفريل ماي جوان جويلية أوت سبتمبر أكتوبر نوفمبر ديسمبر",
)
_PERSIAN = (
    "فروردین اردیبهشت خرداد تیر مرداد شهریور مهر آبان آذر دی بهمن اسفند",
    "فروردين ارديبهشت خرداد تير مرداد شهريور مهر آبان آذر دي بهمن اسفند",
)
SOLAR_HIJRI = 100
"""Added to the numbers of Persian months."""

_ERAS = {"民國": 1911, "民国": 1911, "令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911}
_CJK = re.compile(
    rf"({'|'.join(_ERAS)})?\s*(\d{{1,4}}|元)\s*[年년]\s*(\d{{1,2}})\s*[月월]\s*(\d{{1,2}})\s*[日일号號]?"
)
_THAI = re.compile("[\u0e00-\u0e7f]")
_RELATIVE = re.compile(
    r"\b(?:ago|yesterday|today|now|il y a|hier|aujourd|vor|gestern|heute|hace|ayer|hoy|há|atrás|"
    r"ontem|hoje|agora|fa|ieri|oggi|geleden|gisteren|vandaag|sedan|igår|siden|temu|wczoraj|dziś|"
    r"назад|вчера|сегодня|тому|вчора|önce|dün|bugün|trước|qua|lalu|kemarin|পূর্বে|আগে|पहले|कल)\b|"
    "منذ|قبل|أمس|پیش|دیروز|לפני|אתמול|前|昨|今天|今日|刚刚|전|어제|오늘|방금"
)
_HOURS = re.compile(
    r"\d\s*(?:h\b|hour|min|sec|heure|stunde|hora|ore\b|час|小时|小時|時間|시간|분)", re.I
)


def era_of(text: str) -> tuple[date | None, int, int] | None:
    """Return day, start and end of a date in Chinese, Japanese or Korean; None if there is none."""
    found = _CJK.search(text)
    if found is None:
        return None
    year = 1 if found[2] == "元" else int(found[2])
    year += _ERAS[found[1]] if found[1] else 0
    if len(found[2]) < 4 and not found[1]:
        return None
    return day_of(year, int(found[3]), int(found[4])), *found.span()


def day_of(year: int, month: int, day: int) -> date | None:
    """Return the day, None if there is none; months above 100 are those of the Persian calendar."""
    try:
        if month > SOLAR_HIJRI:
            return _from_persian(year, month - SOLAR_HIJRI, day)
        return date(year, month, day)
    except ValueError:
        return None


def _from_persian(year: int, month: int, day: int) -> date:
    length = 31 if month <= 6 else 30 if month < 12 or _is_leap(year) else 29
    if not 1300 <= year <= 1498 or not 1 <= day <= length:
        raise ValueError
    days = 365 * (year - 1300) + sum(map(_is_leap, range(1300, year)))
    days += 31 * (month - 1) - max(0, month - 7) + day - 1
    return date(1921, 3, 21) + timedelta(days=days)


def _is_leap(year: int) -> bool:
    """Whether a Persian year has 366 days: eight in 33 have, as astronomy has it in these years."""
    return year % 33 in (1, 5, 9, 13, 17, 22, 26, 30)


def our_year(digits: str, text: str) -> int | None:
    """Return the year that digits mean: of two digits as POSIX has it, in Thai as Buddhists count.

    None for what could be either.
    """
    year, is_thai = int(digits), _THAI.search(text) is not None
    if len(digits) <= 2:
        return None if is_thai else year + (2000 if year < 69 else 1900)
    return year - 543 if is_thai and 2400 <= year < 2700 else year


@cache
def months() -> dict[str, int]:
    """Return the months of all languages by name, without a full stop, in lower case."""
    from babel.dates import get_month_names

    found: dict[str, int] = {}
    for language in (*LANGUAGES.split(), "th"):
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, language).items():
                    word = name.casefold().strip(". ")
                    if word and not any(map(str.isdigit, word)):
                        found.setdefault(word, number)
    found |= {"sept": 9, "juil": 7, "janv": 1, "févr": 2, "mrz": 3, "set": 9, "ก.พ": 2}
    for names in _ARABIC:
        found |= {name.replace("_", " "): at for at, name in enumerate(names.split(), 1)}
    for names in _PERSIAN:
        found |= {name: SOLAR_HIJRI + at for at, name in enumerate(names.split(), 1)}
    return found


@cache
def _weekdays() -> dict[str, tuple[int, bool]]:
    """Return weekdays by name: from Monday as 0, and whether their language has the day first."""
    from babel.dates import get_day_names

    found: dict[str, tuple[int, bool]] = {}
    for language in (*LANGUAGES.split(), "th"):
        for width in ("wide", "abbreviated"):
            for number, name in get_day_names(width, "format", language).items():
                found.setdefault(name.casefold().strip("."), (number, language != "en"))
    return found | {"tues": (1, False), "thur": (3, False), "thurs": (3, False)}


# Not \w: the vowels of Thai and Hindi are none.
_WORD = re.compile(r"[^\s\d,;:|/()\[\]\u2013\u2014-]+")
_MARKS = re.compile(r"[\s,;:|()\[\].·•–—/'’\u200c-]+")


def read_around(text: str) -> tuple[bool, bool, int | None]:
    """Return of what surrounds a date: whether it is known, says day first, and the weekday."""
    left, day_first, weekday = text.casefold(), False, None
    if not _MARKS.sub("", left):
        return True, False, None
    named = _weekday_in(left)
    if named is not None:
        weekday, day_first = _weekdays()[named]
        left = left.replace(named, " ", 1)
    for word in _MARKS.sub(" ", left).split():
        # Of two letters weekdays are several: "di" is Tuesday in German, Sunday in French.
        if word in _AROUND_DAY_FIRST or (len(word) == 2 and word in _weekdays()):
            day_first = True
        elif word not in _AROUND:
            return False, False, None
    return True, day_first, weekday


def _weekday_in(text: str) -> str | None:
    """Return the longest name of a weekday that stands alone in a text; None if there is none."""
    known = _weekdays()
    first = _MARKS.sub(" ", text).split()[:1]
    if first and len(first[0]) > 2 and first[0] in known:
        return first[0]
    long = (name for name in known if len(name) > 2 or not name.isascii())
    hits = [name for name in long if name in text and _stands_alone(name, text)]
    return max(hits, key=len, default=None)


def _stands_alone(name: str, text: str) -> bool:
    at = text.index(name)
    before, after = text[at - 1 : at], text[at + len(name) :][:1]
    return not before.isalpha() and not after.isalpha()


def month_in(text: str) -> tuple[int, int, int] | None:
    """Return number, start and end of the one month in a text; None if there is none or several."""
    known, found = months(), []
    for word in _WORD.finditer(text):
        name = word[0].casefold().strip(".'’")
        end = word.end()
        number = known.get(name)
        following = _WORD.match(text, end + 1)
        if number is None and following:
            number = known.get(f"{name} {following[0].casefold()}")
            end = following.end()
        if number is not None:
            found.append((number, word.start(), end))
    return found[0] if len(found) == 1 else None


@lru_cache(maxsize=1 << 12)
def relative_age(text: str) -> tuple[timedelta, bool] | None:
    """Return how long ago "2 hours ago" is, and whether in whole days; None if it is no such text.

    A month is one of 31 days. What is yet to come is none.
    """
    if len(text) > 40 or not _RELATIVE.search(text.casefold()):
        return None
    base = datetime(2000, 1, 15, 12)
    try:
        with without_warnings():
            found = _relative_parser().get_date_data(text).date_obj
    except Exception:  # dateparser lets through what its own parsers raise on odd texts
        return None
    # One with a zone is of no use: which day "yesterday AMT" is, nobody can say.
    if not isinstance(found, datetime) or found.tzinfo is not None or found > base:
        return None
    age = base - found
    return age, bool(age) and not age.seconds and not _HOURS.search(text)


def may_hold_a_month(text: str) -> bool:
    """Whether dateparser may find a month: in our letters one that begins as months do."""
    if not text.isascii():
        return True
    return any(word[0][:3].casefold() in _beginnings() for word in _WORD.finditer(text))


@cache
def _beginnings() -> frozenset[str]:
    return frozenset(name[:3] for name in months())


def read_slowly(text: str) -> date | None:
    """Return the day of a text in words, by dateparser: about 3 ms.

    None where it finds a zone too, for of several it takes one.
    """
    try:
        with without_warnings():
            found = _absolute_parser().get_date_data(text).date_obj
    except Exception:  # as above
        return None
    return found.date() if isinstance(found, datetime) and found.tzinfo is None else None


@contextmanager
def without_warnings() -> Iterator[None]:
    """Keep what other packages' parsers warn of from people: rows that suffer are counted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@cache
def _absolute_parser() -> Any:
    return _parser(
        STRICT_PARSING=True,
        REQUIRE_PARTS=["day", "month", "year"],
        PARSERS=["absolute-time"],
        RELATIVE_BASE=datetime(2000, 1, 1),  # never used: nothing relative is read
    )


@cache
def _relative_parser() -> Any:
    return _parser(PARSERS=["relative-time"], RELATIVE_BASE=datetime(2000, 1, 15, 12))


def _parser(**settings: Any) -> Any:
    from dateparser.date import DateDataParser

    # try_previous_locales: or a date would be read by the languages of the dates before it.
    return DateDataParser(
        languages=LANGUAGES.split(),
        use_given_order=True,
        try_previous_locales=False,
        settings=settings,
    )
