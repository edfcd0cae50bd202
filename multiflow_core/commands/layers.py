"""Listing the prunable layers of a model."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from .arguments import add_json, print_json
from .command import Command, register


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a built-in name, a folder or a hub name")
    parser.add_argument("--statistics", type=Path, help="what calibrate wrote: then what never ran is left dense, too")
    add_json(parser)


def _run(options: argparse.Namespace) -> None:
    from ..experiments.prepare import read
    from ..models.layout import left_dense
    from ..models.vlm import SOME_ZEROS, load

    vlm = load(options.model)
    statistics = read("statistics", vlm, options.statistics) if options.statistics else None
    layers = statistics.layers if statistics else vlm.layers
    if options.json:
        return print_json(
            {
                "model": vlm.name,
                "held": vlm.held,
                "layers": [{**asdict(layer), "size": layer.size, "zeros": vlm.zeros[layer.name]} for layer in layers],
                "prunable": sum(layer.size for layer in layers),
                "left_dense": left_dense(vlm.model, statistics),
            }
        )
    before = vlm.zero_share()
    print(f"{vlm.held}\n")
    for layer in layers:
        gone = f"{vlm.zeros[layer.name] / layer.size:6.1%} zero  " if before >= SOME_ZEROS else ""
        print(f"{layer.modality:<8} {layer.block:<12} {layer.role:<12} {layer.shape!s:<14} {gone}{layer.name}")
    print(f"{len(layers)} layers, {sum(layer.size for layer in layers):,} prunable weights, ", end="")
    print(f"{sum(vlm.zeros.values()):,} of them zero already ({before:.2%})\n")
    print("Left dense, besides biases and norms:")
    for name, reason in left_dense(vlm.model, statistics).items():
        print(f"{name}: {reason}")


register(
    Command(
        "layers",
        "list the prunable layers of a model, and why other matrices stay dense",
        _run,
        arguments=_arguments,
        place=20,
        examples=(
            "python -m multiflow_core layers flatland-blip",
            "python -m multiflow_core layers MODEL --statistics statistics.safetensors --json",
        ),
    )
)
