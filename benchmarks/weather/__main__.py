"""Bad weather, piece by piece: `python -m benchmarks.weather [fuzz | kills | disk | soak] [--inputs N] [--seed S] ...`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

from .disk import disk
from .fuzz import fuzz
from .kills import kills
from .soak import soak

PIECES: dict[str, Callable[[argparse.Namespace], Iterator[str]]] = {
    "fuzz": lambda options: fuzz(options.inputs, options.seed),
    "kills": lambda options: kills(options.kills, options.seed),
    "disk": lambda options: disk(),
    "soak": lambda options: soak(options.minutes, options.seed),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.weather", description=__doc__)
    parser.add_argument("pieces", nargs="*", choices=[*PIECES, []], help="default: all")
    parser.add_argument("--inputs", type=int, default=5000, help="of the fuzz")
    parser.add_argument("--kills", type=int, default=20, help="of each command")
    parser.add_argument("--minutes", type=float, default=10, help="of the soak")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for piece in options.pieces or PIECES:
        print(f"--- {piece}", flush=True)
        for line in PIECES[piece](options):
            print(line, flush=True)


if __name__ == "__main__":
    main()
