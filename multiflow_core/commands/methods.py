"""Listing the pruners."""

from __future__ import annotations

import argparse

from .command import Command, register

ROW = "{:<12} {:<12} {:<23} {:<11} {:<12} {}"


def _run(options: argparse.Namespace) -> None:
    from ..pruning.method import methods

    print(ROW.format("name", "title", "needs", "masks nest", "new weights", "formula  [paper]"))
    for method in methods():
        needs = ", ".join(sorted(method.needs)) or "nothing"
        nested, updates = ("yes" if flag else "no" for flag in (method.nested, method.updates_weights))
        explained = f"{method.formula}  [{method.paper}]"
        print(ROW.format(method.name, method.title, needs, nested, updates, explained))
        for name, option in method.options.items():
            print(f"    {name} = {option.default}: {option.doc}")


register(
    Command(
        "methods",
        "list the pruners: needs, whether masks nest, papers, options",
        _run,
        place=10,
    )
)
