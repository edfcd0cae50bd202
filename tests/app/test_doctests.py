"""The examples in the docstrings of the modules that need no browser session."""

import doctest
import importlib

import pytest

MODULES = (
    "app.state", "app.cards", "app.findings", "app.queries", "app.rankings",
    "app.services.store", "app.services.runs", "app.charts.words",
)  # fmt: skip


@pytest.mark.parametrize("module", MODULES)
def test_examples(module):
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted and not result.failed
