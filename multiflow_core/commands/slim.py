"""Writing a smaller dense model."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..data.dataset import DEFAULT
from ..experiments.run import Run
from .arguments import (
    add_json,
    add_model,
    add_pairs,
    add_source,
    asked_sample,
    calibrated_on,
    count,
    print_json,
    shown_progress,
)
from .command import Command, register


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--keep", type=float, metavar="SHARE", help="share of the hidden units that stay, 0..1")
    what.add_argument(
        "--exact",
        action="store_true",
        help="take out only what does nothing: of a model that was pruned, nothing else changes",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write it to, which opens like any other")
    parser.add_argument(
        "--method", default="multiflow", help="by whose criterion units are ranked (default: multiflow)"
    )
    parser.add_argument("--criterion", help="in place of the method's own, as in magnitude, wanda or snip")
    parser.add_argument("--allocation", help="in place of the method's own: how many units each tower keeps")
    parser.add_argument(
        "--drop", type=count, metavar="N", help="so many whole blocks of vision go, too, where the config can say so"
    )
    parser.add_argument(
        "--heads", action="store_true", help="heads of attention, too, where the config can say how many"
    )
    parser.add_argument(
        "--choose",
        choices=("score", "error"),
        default="score",
        help="which units stay: those of the highest scores, or by backward elimination as many without which the matrix after "
        "them errs most (default: score)",
    )
    parser.add_argument("--no-fit", dest="fit", action="store_false", help="leave what stays as it is, without data")
    parser.add_argument("--seed", type=int, default=0)
    add_source(parser, "--data", "--calibrate-on", use="that what stays is solved anew on", default=DEFAULT)
    add_pairs(parser)
    parser.add_argument(
        "--dtype", choices=("float32", "float16", "bfloat16"), default="float32", help="of the weights in it"
    )
    add_json(parser)


def _run(options: argparse.Namespace) -> None:
    import torch

    from ..experiments.candidates import widths_of
    from ..experiments.prepare import SLIM_SAMPLE, slim_of
    from ..models.compact import compact
    from ..models.formats.plain import save_plain
    from ..models.units import HEADS, NEURONS
    from ..models.vlm import load

    vlm = load(options.model, device=options.device)
    if options.exact:
        small = compact(vlm)
    else:
        own = {name: given for name in ("criterion", "allocation") if (given := getattr(options, name))}
        run = Run(options.model, options.method, seed=options.seed, data=calibrated_on(options.calibrate_on), **own)
        more = {
            "fit": options.fit,
            "choose": options.choose,
            "drop": {"vision": options.drop} if options.drop else {},
            "kinds": (NEURONS, HEADS) if options.heads else (NEURONS,),
        }
        sample = asked_sample(options) or SLIM_SAMPLE
        small = slim_of(vlm, run, options.keep, sample=sample, progress=shown_progress, **more)
    folder = save_plain(small, None, options.out, getattr(torch, options.dtype))
    before, after = widths_of(vlm), widths_of(small)
    sizes = [sum(parameter.numel() for parameter in one.model.parameters()) for one in (vlm, small)]
    if options.json:
        dense = {"widths": before, "parameters": sizes[0]}
        return print_json({"folder": folder, "widths": after, "parameters": sizes[1], "dense": dense})
    print(folder)
    for path, width in before.items():
        print(f"  {path:<36} {width:>6} -> {after[path]}")
    print(f"{sizes[1]:,} of {sizes[0]:,} parameters ({sizes[1] / sizes[0]:.1%})")


register(
    Command(
        "slim",
        "write a smaller dense model, which plain transformers opens and runs faster",
        _run,
        arguments=_arguments,
        place=55,
        examples=(
            "python -m multiflow_core slim flatland-blip --keep 0.5 --out FOLDER",
            "python -m multiflow_core slim flatland-blip --keep 0.2 --choose error --out FOLDER",
            "python -m multiflow_core slim PRUNED --exact --out FOLDER",
        ),
    )
)
