"""Listing the built-in models."""

from __future__ import annotations

import argparse
import json

from .arguments import add_json
from .command import Command, register


def _run(options: argparse.Namespace) -> None:
    from ..models.vlm import ASSETS, BUILT_IN, card_of

    found = []
    for name in BUILT_IN:
        config = json.loads((ASSETS / name / "config.json").read_text(encoding="utf-8"))
        size = sum(file.stat().st_size for file in (ASSETS / name).glob("model*.safetensors"))
        told = {
            "class": config.get("architectures", [""])[0],
            "trained_on": card_of(ASSETS / name).get("trained_on", ""),
        }
        found.append({"name": name, **told, "bytes": size})
    if options.json:
        print(json.dumps(found, indent=1))
        return
    if not found:
        print(
            "no built-in models here: they are files of the project, and an installed copy has none; give a folder or a hub name"
        )
    for one in found:
        print(f"{one['name']:<16} {one['class']:<32} {one['bytes'] / 1e6:6.1f} MB  {one['trained_on']}".rstrip())


register(
    Command(
        "models",
        "list the built-in models; folders and hub names open as well",
        _run,
        arguments=add_json,
        place=5,
        examples=("python -m multiflow_core models --json",),
    )
)
