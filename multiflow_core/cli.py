"""The command line: what the dashboard does, without a browser.

python -m multiflow_core methods
python -m multiflow_core evaluate flatland-blip
python -m multiflow_core prune flatland-blip --method multiflow --sparsity 0.63 --masks masks.safetensors --out FOLDER
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .data.dataset import DATA_SETS, DEFAULT
from .experiments.run import Run, read_option
from .models.format import FORMATS
from .tasks.task import tasks

if TYPE_CHECKING:
    from .experiments.prepare import Sample
    from .models.vlm import VLM

_UNABLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO}  # what is no mistake of the user
METHOD_ROW = "{:<12} {:<12} {:<23} {:<11} {:<12} {}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command. A mistake of the user ends with one sentence and exit status 2, a machine that cannot go on with 1."""
    parser = argparse.ArgumentParser(
        prog="multiflow_core", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for add in (
        _add_methods,
        _add_formats,
        _add_layers,
        _add_data,
        _add_calibrate,
        _add_prune,
        _add_evaluate,
        _add_card,
    ):
        add(commands)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, OSError) as error:
        full = isinstance(error, OSError) and error.errno in _UNABLE
        said = (
            f"nothing could be written ({os.strerror(error.errno).lower()}), and nothing half-written is left"
            if full
            else error
        )
        print(f"multiflow_core: {said}", file=sys.stderr)
        raise SystemExit(1 if full else 2) from None


def _add_methods(commands) -> None:
    command = commands.add_parser("methods", help="list the pruners: needs, whether masks nest, papers, options")
    command.set_defaults(run=_methods)


def _methods(options: argparse.Namespace) -> None:
    from .pruning.method import methods

    print(METHOD_ROW.format("name", "title", "needs", "masks nest", "new weights", "formula  [paper]"))
    for method in methods():
        needs = ", ".join(sorted(method.needs)) or "nothing"
        nested, updates = ("yes" if flag else "no" for flag in (method.nested, method.updates_weights))
        explained = f"{method.formula}  [{method.paper}]"
        print(METHOD_ROW.format(method.name, method.title, needs, nested, updates, explained))
        for name, option in method.options.items():
            print(f"    {name} = {option.default}: {option.doc}")


def _add_formats(commands) -> None:
    command = commands.add_parser("formats", help="list the formats in which a pruned checkpoint can be written")
    command.set_defaults(run=_formats)


def _formats(options: argparse.Namespace) -> None:
    for kind in FORMATS.all():
        print(f"{kind.name:<10} {kind.about}")


def _add_layers(commands) -> None:
    command = commands.add_parser(
        "layers", help="list the prunable layers of a model, and why other matrices stay dense"
    )
    command.add_argument("model", help="a built-in name, a folder or a hub name")
    command.add_argument("--statistics", type=Path, help="what calibrate wrote: then what never ran is left dense, too")
    command.set_defaults(run=_layers)


def _layers(options: argparse.Namespace) -> None:
    from .experiments.prepare import read
    from .models.layout import left_dense
    from .models.vlm import SOME_ZEROS, load

    vlm = load(options.model)
    statistics = read("statistics", vlm, options.statistics) if options.statistics else None
    layers = statistics.layers if statistics else vlm.layers
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


def _add_model(command) -> None:
    command.add_argument("model", help="a built-in name, a folder or a hub name")
    command.add_argument("--device", default="cpu", help="where the model runs: cpu, cuda, mps or auto (default: cpu)")


def _add_data(commands) -> None:
    command = commands.add_parser("data", help="show what a data set holds: how much of what, bad rows, three examples")
    command.add_argument("data", metavar="PATH", help=f"a file or folder of your own, or {_names()}")
    command.add_argument("--quick", action="store_true", help="do not open every picture")
    command.set_defaults(run=_data)


def _data(options: argparse.Namespace) -> None:
    from .data import dataset, listing

    progress = None if options.quick else _shown_progress
    for line in listing.lines(dataset.open(options.data), progress, thorough=not options.quick):
        print(line)


def _shown_progress(fraction: float, message: str) -> None:
    if sys.stderr.isatty():
        end = "\n" if fraction == 1 else ""
        print(f"\r{message}: {fraction:.0%}", end=end, file=sys.stderr, flush=True)


def _names() -> str:
    return " or ".join(data.name for data in DATA_SETS.all())


def _add_source(command, *names: str, use: str, default: str) -> None:
    command.add_argument(
        *names,
        dest=names[-1].strip("-").replace("-", "_"),
        metavar="PATH",
        help=f"the data {use}: {_names()}, or a file or folder of your own (default: {default})",
    )


def _add_pairs(command) -> None:
    command.add_argument("--pairs", type=_count, metavar="N", help="how many pairs are calibrated with (default: 512)")


def _add_statistics(command) -> None:
    command.add_argument("--statistics", type=Path, help="what calibrate wrote, in place of what would be collected")


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:8]) < 10**7:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no whole number from 1 to ten million")
    return int(text)


def _sample(options: argparse.Namespace) -> Sample | None:
    """How many pairs are calibrated with; None: as many as ever."""
    from .experiments.prepare import sample_of

    return sample_of(options.pairs) if options.pairs else None


def _known(options: argparse.Namespace, vlm: VLM) -> dict[str, Any]:
    """The evidence that was given as a file."""
    from .experiments.prepare import read

    if not options.statistics:
        return {}
    return {"statistics": read("statistics", vlm, options.statistics, options.calibrate_on)}


def _add_calibrate(commands) -> None:
    command = commands.add_parser("calibrate", help="collect activation statistics on 512 training pairs")
    _add_model(command)
    _add_source(command, "--data", "--calibrate-on", use="they are from", default=DEFAULT)
    _add_pairs(command)
    command.add_argument("--seed", type=int, default=0, help="of the choice of pairs")
    command.add_argument("--out", type=Path, required=True, help="file to write, .safetensors")
    command.set_defaults(run=_calibrate)


def _calibrate(options: argparse.Namespace) -> None:
    from .data import dataset
    from .experiments.prepare import collect, source_of
    from .models.vlm import load

    data = dataset.open(options.calibrate_on or DEFAULT)
    vlm = load(options.model, device=options.device)
    statistics = collect("statistics", vlm, options.seed, sample=_sample(options), data=data.name)
    replace(statistics, source=source_of(data)).save(options.out)
    print(f"{options.out}: {len(statistics.square_sums)} layers, {statistics.samples} pairs")


def _calibrated_on(name: str | None) -> str:
    """The data that a method sees pairs of, as a run has it: nothing for the default; ValueError where there is none."""
    from .data import dataset

    found = dataset.open(name or DEFAULT).name
    return "" if found == DEFAULT else found


def _add_fixed(command) -> None:
    command.add_argument(
        "--fixed",
        nargs="+",
        default=[],
        metavar="PATTERN=SPARSITY",
        help="layers that stay dense or have a sparsity of their own, whatever the others are pruned to: a modality, a block, a "
        "role or a parameter's name, with * and ?, as in text=dense or 'vision 3=0.5'; the command layers lists them",
    )


def _fixed(options: argparse.Namespace) -> str:
    """What is fixed, as a run has it."""
    from .pruning.patterns import read_fixed, write_fixed

    return write_fixed(read_fixed(",".join(options.fixed)))


def _add_prune(commands) -> None:
    command = commands.add_parser("prune", help="write the masks of a method at a sparsity, or the pruned checkpoint")
    _add_model(command)
    command.add_argument("--method", default="multiflow")
    command.add_argument(
        "--options", nargs="+", default=[], metavar="NAME=VALUE", help="of the method; the command methods lists them"
    )
    command.add_argument("--sparsity", type=float, required=True, help="share of the prunable weights to remove, 0..1")
    command.add_argument("--seed", type=int, default=0)
    _add_source(command, "--data", "--calibrate-on", use="that the method sees pairs of", default=DEFAULT)
    _add_pairs(command)
    _add_statistics(command)
    _add_fixed(command)
    command.add_argument("--masks", type=Path, help="file to write the masks to, .safetensors")
    command.add_argument(
        "--out", type=Path, help="folder to write the pruned checkpoint to, which opens like any other"
    )
    command.add_argument(
        "--format", default="plain", help="of the checkpoint, see the command formats (default: plain)"
    )
    command.add_argument(
        "--dtype", choices=("float32", "float16", "bfloat16"), default="float32", help="of the weights in it"
    )
    command.set_defaults(run=_prune)


def _prune(options: argparse.Namespace) -> None:
    import torch

    from .experiments.prepare import order_of
    from .models.vlm import SOME_ZEROS, load
    from .pruning.method import METHODS

    if not options.masks and not options.out:
        raise ValueError("give --masks FILE, --out FOLDER or both: nothing would be written")
    kind = FORMATS.get(options.format)
    # the model only runs where something is to be learnt of it; its weights are ranked in float32 whatever they are
    seen = METHODS.get(options.method).needs - ({"statistics"} if options.statistics else set())
    vlm = load(options.model, torch.float32 if seen else None, device=options.device)
    known = _known(options, vlm)
    run = Run(
        options.model,
        options.method,
        options.sparsity,
        seed=options.seed,
        data=_calibrated_on(options.calibrate_on),
        fixed=_fixed(options),
        options=tuple(read_option(part, "=") for part in options.options),
    )
    order = order_of(vlm, run, sample=_sample(options), known=known)
    masks = order.masks(options.sparsity)
    if options.masks:
        print(masks.save(options.masks))
    if options.out:
        weights = order.weights(options.sparsity)
        pruned = vlm.prune(masks, weights) if weights else vlm  # what masks leave out is never written
        print(kind.write(pruned, masks, options.out, options.dtype and getattr(torch, options.dtype)))
    print(f"{masks.pruned:,} of {masks.total:,} weights pruned ({masks.sparsity:.4f})")
    if (before := vlm.zero_share()) >= SOME_ZEROS:
        print(
            f"  {before:.4f} were zero before, {vlm.zero_share(masks):.4f} are now: what was zero counts as pruned where it is"
        )
    if order.fixed:
        print(f"  {len(order.fixed)} layers fixed; {options.sparsity:.4f} of the other {order.total:,} weights")
    for modality, sparsity in order.modality_sparsity(options.sparsity).items():
        print(f"  {modality:<8} {sparsity:.3f}")


def _add_evaluate(commands) -> None:
    command = commands.add_parser(
        "evaluate",
        help="dense and pruned figures of every task; resumable",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measure dense and pruned models zero-shot; what the result file holds is not repeated.\n"
        f"Tasks: {', '.join(task.title for task in tasks())}.\n"
        "The shipped result files are made by\n\n"
        "  python -m multiflow_core evaluate MODEL --methods all --ablation --costs --masks FOLDER",
    )
    _add_model(command)
    _add_source(command, "--data", use="that they are asked about, with the split test or val", default=DEFAULT)
    command.add_argument(
        "--items",
        type=_count,
        metavar="N",
        help="at most so many pictures of it for every task (default: 1,000 for retrieval "
        "and classification, 200 to describe, questions about 100)",
    )
    _add_source(command, "--calibrate-on", use="that the methods see pairs of", default="that of --data")
    _add_pairs(command)
    _add_statistics(command)
    _add_fixed(command)
    command.add_argument("--seed", type=int, default=0, help="of the first run of a method, and of the choice of pairs")
    command.add_argument("--methods", nargs="+", help='names, or "all"')
    names = [task.name for task in tasks()]
    command.add_argument(
        "--tasks", nargs="+", choices=names, metavar="TASK", help=f"of {', '.join(names)}; default: all"
    )
    command.add_argument("--sparsities", nargs="+", type=float)
    command.add_argument(
        "--prompts",
        nargs="+",
        metavar="SENTENCE",
        help='for classification: sentences with {} for a class, or "ensemble" for CLIP\'s seven (default: "a photo of a {}.")',
    )
    command.add_argument(
        "--rerank",
        type=_count,
        metavar="K",
        help="for retrieval: also with the K nearest ranked again by the matching head, as BLIP and X-VLM do",
    )
    command.add_argument("--seeds", type=int, default=3, help="runs of a method in which chance is involved")
    command.add_argument(
        "--costs",
        action="store_true",
        help="also time and memory of each method, in fresh processes on the cpu",
    )
    command.add_argument("--ablation", action="store_true", help="also every criterion with every allocation")
    command.add_argument(
        "--masks", type=Path, help="folder for the masks; with it, overlaps between methods are computed"
    )
    command.add_argument(
        "--out", type=Path, help="result file; default assets/results/MODEL.json, or MODEL on DATA.json"
    )
    command.set_defaults(run=_evaluate)


def _evaluate(options: argparse.Namespace) -> None:
    from .data import dataset
    from .experiments.benchmark import check_asked, full_exam, short_exam
    from .experiments.prepare import CALIBRATION_PAIRS, pairs_of, sample_of
    from .experiments.sweep import DEFAULT_METHODS, SPARSITIES, Sweep, ablation, plan, result_file
    from .models.vlm import load
    from .pruning.method import methods
    from .tasks.classification import prompts_of

    data = dataset.open(options.data or DEFAULT)
    exam = full_exam("test", options.items, data) if options.items else short_exam(data)
    if options.prompts:
        exam = replace(exam, prompts=prompts_of(options.prompts))
    exam = replace(exam, rerank=options.rerank or 0)
    seen = _calibrated_on(options.calibrate_on or data.name)
    vlm = load(options.model, device=options.device)
    check_asked(vlm, exam)
    names = [m.name for m in methods()] if options.methods == ["all"] else options.methods or DEFAULT_METHODS
    sparsities = options.sparsities or SPARSITIES
    fixed = _fixed(options)
    runs = plan(names, sparsities, options.seeds, options.seed, seen, fixed)
    runs += ablation(sparsities, options.seed, seen, fixed) if options.ablation else []
    out, known = options.out or result_file(vlm.name, data), _known(options, vlm)
    sample = _sample(options) if not seen else sample_of(pairs_of(vlm, seen, options.pairs or CALIBRATION_PAIRS))
    sweep = Sweep(vlm, exam, out, options.masks, known=known, sample=sample, only=options.tasks)
    sweep.run(runs)
    if options.costs:
        sweep.costs(options.model, names)


def _add_card(commands) -> None:
    command = commands.add_parser("card", help="measure the dense model on every split and write its model card")
    command.add_argument("model")
    command.add_argument("--log", type=Path, required=True, help="log.jsonl of the training run")
    command.set_defaults(run=_card)


def _card(options: argparse.Namespace) -> None:
    from .models.vlm import load
    from .pretrain.model_card import write_card

    print(write_card(load(options.model), options.log))
