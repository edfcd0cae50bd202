"""Bad weather, piece by piece: `python -m benchmarks.weather [fuzz | kills | disk | soak] [--inputs N] [--seed S]`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

from .fuzz import fuzz

PIECES: dict[str, Callable[[argparse.Namespace], Iterator[str]]] = {
    "fuzz": lambda options: fuzz(options.inputs, options.seed)
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.weather", description=__doc__)
    parser.add_argument("pieces", nargs="*", choices=[*PIECES, []], help="default: all")
    parser.add_argument("--inputs", type=int, default=5000, help="of the fuzz")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for piece in options.pieces or PIECES:
        print(f"--- {piece}", flush=True)
        for line in PIECES[piece](options):
            print(line, flush=True)


if __name__ == "__main__":
    main()
