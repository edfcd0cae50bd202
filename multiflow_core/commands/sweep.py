"""Sweeps: a file of models x methods x sparsities x tasks x seeds, cell by cell."""

from __future__ import annotations

import argparse
import shlex
import signal
from pathlib import Path

from .arguments import count
from .command import Command, register


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the sweep, in TOML; assets/sweeps/paper.toml is one")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="of the cells (default: results/sweeps/NAME)")
    parser.add_argument("--workers", type=count, metavar="N", help="processes (default: as many as the cores allow)")
    parser.add_argument(
        "--scheduler", metavar="URL", help="of a Dask cluster in their place, such as tcp://10.0.0.1:8786"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="cells with this model, method, sparsity, task, data, seed or transfer, or the first digits of one",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="list the cells that are missing, and how long they take"
    )
    parser.add_argument(
        "--again", action="store_true", help="compute the cells anew, and say whether their figures are the same"
    )


def _run(options: argparse.Namespace) -> None:
    from ..sweeps.plan import chosen, read
    from ..sweeps.running import Sweeping
    from ..sweeps.status import refuse_second
    from ..sweeps.store import Store
    from ..sweeps.table import folder_of, write_table
    from ..sweeps.work import known

    plan = read(options.file)
    store = Store(options.out or folder_of(options.file))
    cells = plan.cells(known())
    asked = chosen(cells, options.only)
    sweeping = Sweeping(
        asked, store, options.workers or 0, options.scheduler or "", lambda line: print(line, flush=True)
    )
    missing = store.missing(asked)
    print(f"{plan.title}: {len(asked)} cells, {len(missing)} missing; {sweeping.estimate()}", flush=True)
    if options.dry_run:
        for cell in missing:
            print(f"{cell.digest}  {cell.name}")
        return
    refuse_second(store.folder)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if options.again:
            if differ := sweeping.again():
                raise ValueError(f"{len(differ)} cells have other figures than before, {differ[0].name} first")
            print("the same figures in all cells")
        else:
            sweeping.run()
    except KeyboardInterrupt:
        print(f"stopped with {len(asked) - len(store.missing(asked))} of {len(asked)} cells; the same command goes on")
        raise SystemExit(130) from None
    finally:
        command = shlex.join(["python", "-m", "multiflow_core", "sweep", str(options.file)])
        written = write_table(plan, cells, store, command)
        for file in written:
            print(file)
        if written and plan.results and plan.results not in written:
            print(
                f"{plan.results} has cells that {store.folder} has not, and stays as it is: it is written anew once it is gone"
            )


register(
    Command(
        "sweep",
        "a whole table of cells, from a file; resumable, on many cores or a cluster",
        _run,
        arguments=_arguments,
        place=65,
        examples=("python -m multiflow_core sweep assets/sweeps/paper.toml --only method=multiflow",),
    )
)
