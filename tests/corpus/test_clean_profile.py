"""Cleaning profiles: what they say, and what is said of one that cannot be used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from newsnest.corpus import load_profile, profile_names
from newsnest.errors import InputError

USABLE = """
about = "Ours"
[[drop]]
rule = "declined"
column = "status"
values = ["declined"]
[[only]]
rule = "ours"
column = ["desk", "bureau"]
values = ["Nantes"]
[[replace]]
rule = "codes"
in = ["title"]
pattern = '''\\bX\\d+\\b'''
by = ""
[[minimum]]
rule = "short"
in = "title"
words = 2
"""


@pytest.fixture
def written(tmp_path):
    def write(text: str, name: str = "ours.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_profile_of_ones_own_is_read(written):
    profile = load_profile(written(USABLE))
    assert (profile.name, profile.about) == ("ours", "Ours")
    assert [own.keep for own in profile.filters] == [False, True]
    assert profile.filters[1].columns == ("desk", "bureau")
    assert profile.replace[0].parts == ("title",) and profile.replace[0].by == ""
    assert profile.minimum[0].words == 2 and profile.minimum[0].otherwise == "drop"


@pytest.mark.parametrize("name", profile_names())
def test_a_built_in_profile_says_what_it_is_for(name):
    profile = load_profile(name)
    assert profile.name == name and profile.about and profile.replace


def test_the_digest_is_that_of_the_rules(written):
    profile = load_profile(written(USABLE))
    assert load_profile(written(USABLE.replace("Ours", "Yours"), "b.toml")).digest == profile.digest
    other = replace(profile, replace=(replace(profile.replace[0], by=" "),))
    assert other.digest != profile.digest


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("about = 'x'", "a profile must hold a rule at least, got none"),
        ("a =", "not TOML: "),
        ("colour = 1", "a key must be one of about, drop, only, replace, minimum, got 'colour'"),
        ("replace = 3", r"replace must be tables, got 3. Begin each rule with \[\[replace\]\]"),
        ("about = 3\n[[minimum]]\nrule='s'\nin='title'\nwords=1", "about must be a text, got 3"),
        ("[[replace]]\npattern='x'", r"\[\[replace\]\]: rule must be a text, got none. Give one"),
        ("[[replace]]\nrule=''\npattern='x'", "rule must be a text, got ''"),
        ("[[replace]]\nrule='a'", r"\[\[replace\]\] 'a': pattern must be a text, got none"),
        ("[[replace]]\nrule='a'\npatern='x'", "got 'patern'. Did you mean 'pattern'"),
        ("[[replace]]\nrule='a'\npattern='('", "be a regular expression, got one that is not: "),
        ("[[replace]]\nrule='a'\npattern='x*'", "match something, got one that matches nothing"),
        (
            "[[replace]]\nrule='a'\npattern='x'\nin=['titel']",
            "in must be one of title, text, got 'titel'. Did you mean 'title'",
        ),
        ("[[replace]]\nrule='a'\npattern='x'\nin=[]", "in must be a text or a list of them"),
        (
            "[[replace]]\nrule='a'\npattern='x'\nignore_case=1",
            "ignore_case must be true or false, got 1",
        ),
        (
            "[[replace]]\nrule='a'\npattern='x'\n[[replace]]\nrule='a'\npattern='y'",
            "rule must be a name of its own, got it twice",
        ),
        ("[[minimum]]\nrule='a'\nin='title'", "words must be 1 or more, got neither"),
        ("[[minimum]]\nrule='a'\nin='title'\nwords=-1", "words must be a whole number from 0 on"),
        (
            "[[minimum]]\nrule='a'\nin='title'\nwords=1\notherwise='keep'",
            "otherwise must be one of drop, empty, got 'keep'",
        ),
        ("[[drop]]\nrule='a'\nvalues=['x']", "column must be a text or a list of them, got none"),
    ],
)
def test_what_cannot_be_used_is_said_with_file_key_and_cure(written, text, said):
    path = written(text)
    with pytest.raises(InputError, match=said) as error:
        load_profile(path)
    assert str(error.value).startswith(str(path))


def test_a_profile_that_is_not_there_is_said(tmp_path):
    with pytest.raises(InputError, match=r"generic or .* got 'generik'. Did you mean 'generic'\?"):
        load_profile("generik")
    with pytest.raises(InputError, match="must be readable, got No such file"):
        load_profile(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes("about = 'é'".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        load_profile(tmp_path / "latin.toml")


def test_the_home_of_nobody_is_no_traceback():
    with pytest.raises(InputError, match="~nobody-here/x.toml: must be readable, got No such file"):
        load_profile("~nobody-here/x.toml")
