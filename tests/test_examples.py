"""The examples in docstrings say what really comes out."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module

import pytest

import newsnest

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(newsnest.__path__, "newsnest.")
    if not module.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name):
    assert doctest.testmod(import_module(name)).failed == 0


def test_there_are_examples():
    examples = doctest.DocTestFinder().find(import_module("newsnest.cluster.rac"))
    assert any(test.examples for test in examples)
