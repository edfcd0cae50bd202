"""Measuring dense and pruned models."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from ..data.dataset import DEFAULT
from ..support.places import INSTALLED
from ..tasks.task import tasks
from .arguments import (
    add_fixed,
    add_json,
    add_model,
    add_pairs,
    add_source,
    add_statistics,
    asked_sample,
    calibrated_on,
    count,
    fixed_of,
    known_of,
    print_json,
)
from .command import Command, register


def _told() -> str:
    return (
        "Measure dense and pruned models zero-shot; what the result file holds is not repeated.\n"
        f"Tasks: {', '.join(task.title for task in tasks())}.\n"
        "The shipped result files are made by\n\n"
        "  python -m multiflow_core evaluate MODEL --methods all --ablation --costs --masks FOLDER\n"
        "  python -m multiflow_core evaluate MODEL --methods M --seed 1   # and 2: other calibration pairs"
    )


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_source(parser, "--data", use="that they are asked about, with the split test or val", default=DEFAULT)
    parser.add_argument(
        "--items",
        type=count,
        metavar="N",
        help="at most so many pictures of it for every task (default: 1,000 for retrieval "
        "and classification, 200 to describe, questions about 100)",
    )
    add_source(parser, "--calibrate-on", use="that the methods see pairs of", default="that of --data")
    add_pairs(parser)
    add_statistics(parser)
    add_fixed(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the first run of a method, and of the choice of pairs")
    parser.add_argument("--methods", nargs="+", help='names, or "all"')
    names = [task.name for task in tasks()]
    parser.add_argument(
        "--tasks", nargs="+", choices=names, metavar="TASK", help=f"of {', '.join(names)}; default: all"
    )
    parser.add_argument("--sparsities", nargs="+", type=float)
    parser.add_argument(
        "--prompts",
        nargs="+",
        metavar="SENTENCE",
        help='for classification: sentences with {} for a class, or "ensemble" for CLIP\'s seven (default: "a photo of a {}.")',
    )
    parser.add_argument(
        "--rerank",
        type=count,
        metavar="K",
        help="for retrieval: also with the K nearest ranked again by the matching head, as BLIP and X-VLM do",
    )
    parser.add_argument("--seeds", type=int, default=3, help="runs of a method in which chance is involved")
    parser.add_argument(
        "--costs",
        action="store_true",
        help="also time and memory of each method, in fresh processes on the cpu",
    )
    parser.add_argument("--ablation", action="store_true", help="also every criterion with every allocation")
    parser.add_argument(
        "--masks", type=Path, help="folder for the masks; with it, overlaps between methods are computed"
    )
    parser.add_argument(
        "--out", type=Path, help="result file; default assets/results/MODEL.json, or MODEL on DATA.json"
    )
    add_json(parser)


def _run(options: argparse.Namespace) -> None:
    from ..data import dataset
    from ..experiments.benchmark import check_asked, full_exam, short_exam
    from ..experiments.prepare import CALIBRATION_PAIRS, pairs_of, sample_of
    from ..experiments.sweep import DEFAULT_METHODS, SPARSITIES, Sweep, ablation, plan, result_file
    from ..models.vlm import load
    from ..pruning.method import methods
    from ..tasks.classification import prompts_of

    data = dataset.open(options.data or DEFAULT)
    exam = full_exam("test", options.items, data) if options.items else short_exam(data)
    if options.prompts:
        exam = replace(exam, prompts=prompts_of(options.prompts))
    exam = replace(exam, rerank=options.rerank or 0)
    seen = calibrated_on(options.calibrate_on or data.name)
    vlm = load(options.model, device=options.device)
    check_asked(vlm, exam)
    names = [m.name for m in methods()] if options.methods == ["all"] else options.methods or DEFAULT_METHODS
    sparsities = options.sparsities or SPARSITIES
    fixed = fixed_of(options)
    runs = plan(names, sparsities, options.seeds, options.seed, seen, fixed)
    runs += ablation(sparsities, options.seed, seen, fixed) if options.ablation else []
    file = result_file(vlm.name, data)
    if INSTALLED:  # what pip has put somewhere stays as it is
        file = Path("results") / file.name
    out, known = options.out or file, known_of(options, vlm)
    sample = asked_sample(options) if not seen else sample_of(pairs_of(vlm, seen, options.pairs or CALIBRATION_PAIRS))
    report = partial(print, file=sys.stderr) if options.json else print  # rows are then only how far it is
    sweep = Sweep(vlm, exam, out, options.masks, report, known, sample, only=options.tasks)
    sweep.run(runs)
    if options.costs:
        sweep.costs(options.model, names)
    if options.json:
        asked = [found for run in runs if (found := sweep.results.find(run))]
        print_json({"file": out, **replace(sweep.results, runs=tuple(asked)).written()})


register(
    Command(
        "evaluate",
        "dense and pruned figures of every task; resumable",
        _run,
        arguments=_arguments,
        place=60,
        told=_told,
        examples=(
            "python -m multiflow_core evaluate flatland-blip",
            "python -m multiflow_core evaluate MODEL --data PHOTOS --items 500 --out figures.json",
            "python -m multiflow_core evaluate MODEL --methods multiflow omp --sparsities 0.63 --tasks retrieval --json",
        ),
    )
)
