"""Collecting activation statistics into a file."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from ..data.dataset import DEFAULT
from .arguments import add_model, add_pairs, add_source, asked_sample
from .command import Command, register


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_source(parser, "--data", "--calibrate-on", use="they are from", default=DEFAULT)
    add_pairs(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the choice of pairs")
    parser.add_argument("--out", type=Path, required=True, help="file to write, .safetensors")


def _run(options: argparse.Namespace) -> None:
    from ..data import dataset
    from ..experiments.prepare import collect, source_of
    from ..models.vlm import load

    data = dataset.open(options.calibrate_on or DEFAULT)
    vlm = load(options.model, device=options.device)
    statistics = collect("statistics", vlm, options.seed, sample=asked_sample(options), data=data.name)
    replace(statistics, source=source_of(data)).save(options.out)
    print(f"{options.out}: {len(statistics.square_sums)} layers, {statistics.samples} pairs")


register(
    Command(
        "calibrate",
        "collect activation statistics on 512 training pairs",
        _run,
        arguments=_arguments,
        place=40,
        examples=(
            "python -m multiflow_core calibrate MODEL --calibrate-on PHOTOS --pairs 256 --out statistics.safetensors",
        ),
    )
)
