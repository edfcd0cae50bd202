"""Listing the pruners."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from .arguments import add_json, print_json
from .command import Command, register

if TYPE_CHECKING:
    from ..pruning.method import Method

ROW = "{:<12} {:<12} {:<23} {:<11} {:<12} {}"


def _run(options: argparse.Namespace) -> None:
    from ..pruning.method import methods

    if options.json:
        return print_json([_held(method) for method in methods()])
    print(ROW.format("name", "title", "needs", "masks nest", "new weights", "formula  [paper]"))
    for method in methods():
        needs = ", ".join(sorted(method.needs)) or "nothing"
        nested, updates = ("yes" if flag else "no" for flag in (method.nested, method.updates_weights))
        explained = f"{method.formula}  [{method.paper}]"
        print(ROW.format(method.name, method.title, needs, nested, updates, explained))
        for name, option in method.options.items():
            print(f"    {name} = {option.default}: {option.doc}")


def _held(method: Method) -> dict[str, Any]:
    """What another program may want to know of a pruner."""
    told = (
        "name",
        "title",
        "paper",
        "formula",
        "idea",
        "criterion",
        "allocation",
        "needs",
        "nested",
        "updates_weights",
        "chance",
    )
    options = {name: {"default": option.default, "about": option.doc} for name, option in method.options.items()}
    return {part: getattr(method, part) for part in told} | {"options": options, "quick": method.quick}


register(
    Command(
        "methods",
        "list the pruners: needs, whether masks nest, papers, options",
        _run,
        arguments=add_json,
        place=10,
        examples=("python -m multiflow_core methods", "python -m multiflow_core methods --json"),
    )
)
