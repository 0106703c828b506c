"""Registries: built-in parts, and parts that other packages add by entry points."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import pytest

from newsnest.errors import EncoderError, ParameterError
from newsnest.plugins import Registry


@dataclass(frozen=True)
class Bell:
    summary: str


@pytest.fixture
def bells() -> Registry[Bell]:
    return Registry("bell", "newsnest.bells", Bell, {"small": Bell("rings"), "big": Bell("booms")})


HUGE = """
from test_plugins_bell import Bell
HUGE = Bell("shakes the house")
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that puts a package of one module and its entry points on the path."""
    monkeypatch.setitem(sys.modules, "test_plugins_bell", sys.modules[__name__])

    def put(package: str, code: str, points: dict[str, str], group: str = "newsnest.bells") -> None:
        folder = tmp_path / package
        info = folder / f"{package}-1.0.dist-info"
        info.mkdir(parents=True)
        (folder / f"{package}.py").write_text(code, encoding="utf-8")
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {value}\n" for name, value in points.items()]
        (info / "entry_points.txt").write_text(f"[{group}]\n" + "".join(lines))
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.delitem(sys.modules, package, raising=False)

    return put


def test_a_registry_lists_the_built_in_parts_in_their_order(bells):
    assert list(bells) == ["small", "big"]
    assert len(bells) == 2
    assert bells["big"] == Bell("booms")
    assert bells.get("huge") is None
    assert bells.summaries() == {"small": "rings", "big": "booms"}


def test_a_part_of_another_package_is_found_listed_and_loaded(bells, install):
    install("loudpack", HUGE, {"huge": "loudpack:HUGE"})
    assert list(bells) == ["small", "big", "huge"]
    assert "huge" in bells
    assert "loudpack" not in sys.modules  # names are read from metadata
    assert bells["huge"].summary == "shakes the house"
    assert bells["huge"] is bells["huge"]
    assert bells.choose("huge", function="ring").summary == "shakes the house"
    assert bells.summaries()["huge"] == "shakes the house"


def test_an_unknown_name_lists_those_of_other_packages_too(bells, install):
    install("loudpack", HUGE, {"huge": "loudpack:HUGE"})
    message = r"ring: bell must be one of small, big, huge, got 'hug'\. Did you mean 'huge'\?"
    with pytest.raises(ParameterError, match=message):
        bells.choose("hug", function="ring")


@pytest.mark.parametrize(
    ("code", "value", "reason"),
    [
        ("import no_such_module", "brokenpack:HUGE", "must load, got ModuleNotFoundError: No mod"),
        ("x = 1", "brokenpack:HUGE", "must load, got AttributeError: "),
        ("1 / 0", "brokenpack:HUGE", "must load, got ZeroDivisionError: "),
        ("(", "brokenpack:HUGE", "must load, got SyntaxError: "),
        ("x = 1", "no such::syntax", "must load, got "),
        ("HUGE = 3", "brokenpack:HUGE", "must be a Bell, got int"),
    ],
)
def test_a_broken_part_is_one_error_that_names_package_and_cure(
    bells, install, code, value, reason
):
    install("loudpack", HUGE, {"huge": "loudpack:HUGE"})
    install("brokenpack", code, {"cracked": value})
    message = rf"'cracked' of package brokenpack {reason}.*Mend, update or uninstall brokenpack\."
    with pytest.raises(ParameterError, match=message):
        bells["cracked"]
    # No other name suffers, and lists say why it cannot be used.
    assert list(bells) == ["small", "big", "cracked", "huge"]
    assert bells["small"].summary == "rings"
    assert bells["huge"].summary == "shakes the house"
    assert bells.summaries()["cracked"].startswith("cannot be used: ")


def test_a_name_that_is_built_in_cannot_be_taken(bells, install):
    install("greedypack", HUGE, {"big": "greedypack:HUGE", "huge": "greedypack:HUGE"})
    with pytest.raises(ParameterError, match=r"'big' must be a new name, .* package greedypack\. "):
        list(bells)
    assert bells["big"].summary == "booms"
    assert bells["huge"].summary == "shakes the house"
    assert bells.summaries()["big of greedypack"] == "cannot be used: the name is built in"


def test_a_name_of_two_packages_belongs_to_neither(bells, install):
    install("onepack", HUGE, {"huge": "onepack:HUGE"})
    install("twopack", HUGE, {"huge": "twopack:HUGE"})
    with pytest.raises(ParameterError, match=r"one package, got onepack and twopack\. Uninstall"):
        bells["huge"]
    assert list(bells) == ["small", "big", "huge"]


def test_a_registry_raises_the_error_of_its_parts():
    with pytest.raises(EncoderError, match="bell must be one of , got 'big'"):
        Registry("bell", "newsnest.bells", Bell, {}, error=EncoderError).choose(
            "big", function="ring"
        )


def test_built_in_names_need_no_metadata_of_other_packages():
    code = (
        "import sys; from newsnest.plugins import Registry; from newsnest.errors import InputError;"
        "InputError.summary = ''; r = Registry('bell', 'a', InputError, {'big': InputError('x')});"
        "r['big'], 'big' in r; assert 'importlib.metadata' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
