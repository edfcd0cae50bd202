"""Arguments that several commands take, and what is made of them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.dataset import DATA_SETS, DEFAULT
from ..experiments.run import OWN, Run, read_option
from ..support.plain_json import written

if TYPE_CHECKING:
    from ..experiments.prepare import Sample
    from ..experiments.taking import Taken
    from ..models.vlm import VLM


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a built-in name, a folder or a hub name")
    parser.add_argument("--device", default="cpu", help="where the model runs: cpu, cuda, mps or auto (default: cpu)")


def data_names() -> str:
    return " or ".join(data.name for data in DATA_SETS.all())


def add_source(parser: argparse.ArgumentParser, *names: str, use: str, default: str) -> None:
    parser.add_argument(
        *names,
        dest=names[-1].strip("-").replace("-", "_"),
        metavar="PATH",
        help=f"the data {use}: {data_names()}, or a file or folder of your own (default: {default})",
    )


def add_pairs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pairs", type=count, metavar="N", help="how many pairs are calibrated with (default: 512)")


def add_statistics(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--statistics", type=Path, help="what calibrate wrote, in place of what would be collected")


def add_fixed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--fixed",
        nargs="+",
        default=[],
        metavar="PATTERN=SPARSITY",
        help="layers that stay dense or have a sparsity of their own, whatever the others are pruned to: a modality, a block, a "
        "role or a parameter's name, with * and ?, as in text=dense or 'vision 3=0.5'; the command layers lists them",
    )


def count(text: str) -> int:
    """A number of things, as one types it."""
    if not text.isdecimal() or not 1 <= int(text[:8]) < 10**7:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no whole number from 1 to ten million")
    return int(text)


def asked_sample(options: argparse.Namespace) -> Sample | None:
    """How many pairs are calibrated with; None: as many as ever."""
    from ..experiments.prepare import sample_of

    return sample_of(options.pairs) if options.pairs else None


def known_of(options: argparse.Namespace, vlm: VLM) -> dict[str, Any]:
    """The evidence that was given as a file."""
    from ..experiments.prepare import read

    if not options.statistics:
        return {}
    return {"statistics": read("statistics", vlm, options.statistics, options.calibrate_on)}


def calibrated_on(name: str | None) -> str:
    """The data that a method sees pairs of, as a run has it: nothing for the default; ValueError where there is none."""
    from ..data import dataset

    found = dataset.open(name or DEFAULT).name
    return "" if found == DEFAULT else found


def fixed_of(options: argparse.Namespace) -> str:
    """What is fixed, as a run has it."""
    from ..pruning.patterns import read_fixed, write_fixed

    return write_fixed(read_fixed(",".join(options.fixed)))


def shown_progress(fraction: float, message: str) -> None:
    """How far a long work is, on a terminal."""
    if sys.stderr.isatty():
        end = "\n" if fraction == 1 else ""
        print(f"\r{message}: {fraction:.0%}", end=end, file=sys.stderr, flush=True)


def add_run(parser: argparse.ArgumentParser) -> None:
    """What says how a model is pruned."""
    parser.add_argument("--method", default="multiflow", help="the command methods lists them (default: multiflow)")
    parser.add_argument("--sparsity", type=float, required=True, help="share of the prunable weights to remove, 0..1")
    parser.add_argument("--seed", type=int, default=0)
    add_source(parser, "--data", "--calibrate-on", use="that the method sees pairs of", default=DEFAULT)
    add_method(parser)


def add_method(parser: argparse.ArgumentParser) -> None:
    """What says more of a method than its name."""
    parser.add_argument("--criterion", default=OWN, help="what replaces the method's own score")
    parser.add_argument(
        "--allocation", default=OWN, help="what replaces the method's own way to share the sparsity out"
    )
    parser.add_argument(
        "--options", nargs="+", default=[], metavar="NAME=VALUE", help="of the method; the command methods lists them"
    )
    add_pairs(parser)
    add_statistics(parser)
    add_fixed(parser)


def run_of(options: argparse.Namespace) -> Run:
    """The run that the arguments of `add_run` say."""
    return Run(
        options.model,
        options.method,
        options.sparsity,
        options.allocation,
        options.criterion,
        options.seed,
        tuple(read_option(part, "=") for part in options.options),
        calibrated_on(options.calibrate_on),
        fixed_of(options),
    )


def add_results(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", type=Path, help="result file for the report; default: that of a built-in model")


def taken_of(options: argparse.Namespace) -> Taken:
    """The run that the arguments say, carried out, with what was measured of it."""
    from ..experiments.manifest import Manifest
    from ..experiments.prepare import order_of
    from ..experiments.results import Results
    from ..experiments.sweep import result_file
    from ..experiments.taking import Taken

    vlm, run = opened(options), run_of(options)
    order = order_of(vlm, run, shown_progress, asked_sample(options), known_of(options, vlm))
    masks = order.masks(run.sparsity, progress=shown_progress)
    file = options.results or result_file(vlm.name, run.data or DEFAULT)
    results = Results.load(file) if options.results or file.is_file() else None
    return Taken(vlm, order, masks, Manifest.of(vlm, run, masks, options.pairs), results)


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the result as JSON, for programs")


def print_json(value: Any) -> None:
    """What a command has found, for programs."""
    print(written(value))


def opened(options: argparse.Namespace) -> VLM:
    """The model. It only runs where a method is to learn of it; its weights are ranked in float32 whatever they are."""
    import torch

    from ..models.vlm import load
    from ..pruning.method import METHODS

    seen = METHODS.get(options.method).needs - ({"statistics"} if options.statistics else set())
    return load(options.model, torch.float32 if seen else None, device=options.device)
