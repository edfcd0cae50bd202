"""Listing the built-in models."""

from __future__ import annotations

import argparse
import json

from .arguments import add_json, print_json
from .command import Command, register


def _run(options: argparse.Namespace) -> None:
    from ..models.vlm import ASSETS, BUILT_IN, card_of, load
    from ..tasks.task import tasks

    found = []
    for name in BUILT_IN:
        config = json.loads((ASSETS / name / "config.json").read_text(encoding="utf-8"))
        size = sum(file.stat().st_size for file in (ASSETS / name).glob("model*.safetensors"))
        told = {
            "class": config.get("architectures", [""])[0],
            "trained_on": card_of(ASSETS / name).get("trained_on", ""),
        }
        vlm = load(name)
        told |= {"tasks": [task.name for task in tasks() if task.can(vlm)]}
        told |= {"prunable": sum(layer.size for layer in vlm.layers)}
        found.append({"name": name, **told, "bytes": size})
    if options.json:
        return print_json(found)
    if not found:
        print(
            "no built-in models here: they are files of the project, and an installed copy has none; give a folder or a hub name"
        )
    for one in found:
        print(f"{one['name']:<16} {one['class']:<32} {one['bytes'] / 1e6:6.1f} MB  {one['trained_on']}".rstrip())
        print(f"    {one['prunable']:,} prunable weights; can do {', '.join(one['tasks'])}")


register(
    Command(
        "models",
        "list the built-in models and what each can do; folders and hub names open as well",
        _run,
        arguments=add_json,
        place=5,
        examples=("python -m multiflow_core models", "python -m multiflow_core models --json"),
    )
)
