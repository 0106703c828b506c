"""What is declared suffices to read web pages, also for the oldest pip of a supported Python."""

import subprocess
import sys
import tomllib
import venv
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.metadata import packages_distributions as distributions_of_packages
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
OLDEST_PIP = "22.3"  # comes with Python 3.11.0
PARSERS = ("trafilatura", "lxml_html_clean", "feedparser")
PAGE = (
    "<html><title>Rain</title><body><p>The harbour stays closed, the mayor said.</p></body></html>"
)

READ = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
blocked = set(sys.stdin.read().split())
sys.meta_path.insert(0, Missing())
import feedparser
from trafilatura import bare_extraction
print(bare_extraction(%r, with_metadata=True).as_dict()["text"])
"""


def declared() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return list(project["dependencies"])


def found(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def installed_by_old_pip(requirements: list[str]) -> set[str]:
    """Return what a pip installs that finds an extra only as its package spells it."""
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        requirement = waiting.pop()
        package = found(requirement.name)
        if package is None:
            continue
        known = set(package.metadata.get_all("Provides-Extra") or [])
        for extra in {"", *(requirement.extras & known)} - {
            e for n, e in seen if n == package.name
        }:
            seen.add((package.name, extra))
            needs = map(Requirement, package.requires or [])
            waiting += [n for n in needs if not n.marker or n.marker.evaluate({"extra": extra})]
    return {canonicalize_name(name) for name, _ in seen}


def test_web_pages_and_feeds_are_read_with_what_is_declared_and_nothing_else() -> None:
    there = installed_by_old_pip(declared())
    blocked = [
        package
        for package, names in distributions_of_packages().items()
        if not any(canonicalize_name(name) in there for name in names)
    ]
    assert "pytest" in blocked
    done = subprocess.run(
        [sys.executable, "-c", READ % PAGE],
        input=" ".join(blocked), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "harbour stays closed" in done.stdout, done.stderr


@pytest.mark.slow
def test_the_oldest_pip_of_a_supported_python_installs_what_reads_web_pages(tmp_path: Path) -> None:
    """Needs the package index."""
    venv.create(tmp_path, with_pip=True)
    python = tmp_path / "bin" / "python"
    wanted = [text for text in declared() if Requirement(text).name in PARSERS]
    assert len(wanted) == len(PARSERS)
    for packages in ([f"pip=={OLDEST_PIP}"], wanted):
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    done = subprocess.run(
        [python, "-c", READ % PAGE], input="", capture_output=True, text=True, check=False
    )
    assert "harbour stays closed" in done.stdout, done.stderr
