"""Writing a model card."""

from __future__ import annotations

import argparse
from pathlib import Path

from .command import Command, register


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model")
    parser.add_argument("--log", type=Path, required=True, help="log.jsonl of the training run")


def _run(options: argparse.Namespace) -> None:
    from ..models.vlm import load
    from ..pretrain.model_card import write_card

    print(write_card(load(options.model), options.log))


register(
    Command(
        "card",
        "measure the dense model on every split and write its model card",
        _run,
        arguments=_arguments,
        place=90,
        examples=("python -m multiflow_core card flatland-blip --log assets/flatland-blip/log.jsonl",),
    )
)
