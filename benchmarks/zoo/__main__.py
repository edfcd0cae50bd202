"""Tiny random models of many types, made from their configurations, and what works with each: no hub, no checkpoint.

python -m benchmarks.zoo                                    # all types; a minute
python -m benchmarks.zoo LlavaForConditionalGeneration      # some, with every matrix that is left dense
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from .line import Found, through
from .types import GENERATING, OTHER_HEADS, TWO_TOWERS, TYPES

_KINDS = {"generating": GENERATING, "two towers": TWO_TOWERS, "other heads": OTHER_HEADS}
_COLUMNS = ("vision", "text", "fusion", "unknown")


def row(found: Found) -> str:
    """One line of the table.

    >>> row(Found("CLIPModel", {"text": 12, "vision": 12}, calibrated=6, asked=5, pruned=5, runs=True, keeps=True))
    'CLIPModel                                       12   12    .    .  6     exact yes  yes '
    """
    layers = "".join(f"{found.layers.get(modality) or '.':>5}" for modality in _COLUMNS)
    exact = "exact" if found.calibrated and found.asked == found.pruned else "no"
    runs, keeps = ("yes" if done else "no" for done in (found.runs, found.keeps))
    trouble = [found.trouble] if found.trouble else []
    trouble += [f"lost without a word: {', '.join(found.lost)}"] if found.lost else []
    trouble += [f"output heads pruned: {', '.join(found.heads)}"] if found.heads else []
    return f"{found.name:<45}{layers}  {found.calibrated or 'no':<5} {exact:<5} {runs:<4} {keeps:<4}" + "; ".join(
        trouble
    )


def summary(found: Iterable[Found]) -> str:
    """What the whole table says."""
    found = list(found)
    return (
        f"{sum(one.passes for one in found)} of {len(found)} through the line, {sum(one.keeps for one in found)} with hidden "
        f"states and what they generate; output heads pruned: {sum(bool(one.heads) for one in found)}; layers of unknown "
        f"modality: {sum('unknown' in one.layers for one in found)} types; matrices lost without a word: "
        f"{sum(bool(one.lost) for one in found)} types"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks.zoo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("types", nargs="*", metavar="TYPE", help="names of classes of transformers; default: all")
    chosen = parser.parse_args().types
    if unknown := [name for name in chosen if name not in TYPES]:
        sys.exit(f"not in the zoo: {', '.join(unknown)}")
    print(f"{'type':<45}{''.join(f'{modality[:4]:>5}' for modality in _COLUMNS)}  pairs masks runs keeps")
    results = []
    for kind, members in _KINDS.items():
        names = [name for name in members if not chosen or name in chosen]
        print(f"-- {kind}" if names else "", end="\n" if names else "")
        for name in names:
            results.append(through(name))
            print(row(results[-1]), flush=True)
            for matrix, reason in results[-1].dense.items() if chosen else ():
                print(f"    {matrix}: {reason}")
    print(summary(results))


if __name__ == "__main__":
    main()
