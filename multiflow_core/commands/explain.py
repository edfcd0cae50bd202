"""Why one weight stays or goes."""

from __future__ import annotations

import argparse

from .arguments import (
    add_json,
    add_model,
    add_run,
    asked_sample,
    known_of,
    opened,
    print_json,
    run_of,
    shown_progress,
)
from .command import Command, register


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("layer", help="a parameter's name; the command layers lists them")
    parser.add_argument("row", type=int, help="output neuron, from 0")
    parser.add_argument("column", type=int, help="input neuron, from 0")
    add_run(parser)
    add_json(parser)


def _run(options: argparse.Namespace) -> None:
    from ..analysis.explain import explain
    from ..experiments.prepare import order_of

    vlm, run = opened(options), run_of(options)
    order = order_of(vlm, run, shown_progress, asked_sample(options), known_of(options, vlm))
    where = options.layer, options.row, options.column
    why = explain(order, vlm.model, *where, run.sparsity, statistics=order.statistics)
    if options.json:
        more = {part: getattr(why, part) for part in ("kept", "kept_by_size", "layer_sparsity")}
        return print_json({"method": order.method.name, **vars(why), **more})
    print(f"{why.layer.title}, row {why.row}, column {why.column}: {why.weight:+.6g}")
    print(
        f"  {'kept' if why.kept else 'pruned'} at {run.sparsity:.0%} by {order.method.title}; it goes at {why.critical:.2%}"
    )
    print(f"  of the {why.layer.size:,} weights of its layer {why.layer_sparsity:.1%} go")
    for name, place in (("magnitude", why.magnitude), ("score", why.score)):
        print(f"  {name:<10} {place.value:.6g}, more than {place.share:.1%} of the {place.of:,} of its {why.among}")
    for name, place in (("input", why.s_in), ("output", why.s_out)):
        if place:
            print(f"  {name:<10} saliency {place.value:.6g}, more than {place.share:.1%} of the {place.of:,}")


register(
    Command(
        "explain",
        "why one weight stays or goes: its size, its neurons, its score",
        _run,
        arguments=_arguments,
        place=65,
        examples=(
            "python -m multiflow_core explain flatland-blip vision_model.encoder.layers.0.mlp.fc1.weight 3 5 --sparsity 0.63",
        ),
    )
)
