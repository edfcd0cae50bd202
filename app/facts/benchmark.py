"""The paper's table from measured cells: places, wins, ranks, recovery, and verdicts on claims. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from multiflow_core.sweeps.cell import DENSE, FINE_TUNED
from multiflow_core.sweeps.claims import PAPERS, judged
from multiflow_core.sweeps.ranking import Ranking, marks, ranking, shown, tally, wins
from multiflow_core.sweeps.table import Column, Part, Spread, Table
from multiflow_core.tasks.task import TASKS

from ..charts.mean_ranks import MeanRanks
from ..charts.recovery import Recovery
from ..charts.wins import Wins
from ..engine import checkpoints
from ..look.words import listed, percent
from ..markup.league import Judged, League, Mark
from . import measured

PAPERS_SPARSITIES = (0.63, 0.75, 0.90)
FILE = "transfer.json"
ALL, PAPER = "all", "paper"
WHO = {ALL: "All methods", PAPER: "The paper's methods"}


@dataclass(frozen=True)
class Benchmark:
    """The cells of one model, zero-shot or fine-tuned, with the names of methods for people.

    `swept`: whether they come from a sweep; else from the model's result file.
    """

    part: Part
    titles: dict[str, str]
    head: dict
    swept: bool

    @property
    def empty(self) -> bool:
        return not self.part.methods

    def title(self, method: str) -> str:
        """The name of a method, with options that a sweep gave it."""
        name, mark, options = method.partition(" (")
        return self.titles.get(name, name) + mark + options

    @property
    def seeds(self) -> int:
        """How many seeds the cell with the most of them has."""
        spreads = (self.part.spread(m, s, c) for m in self.part.methods for s, c in self.part.cells())
        return max((spread.count for spread in spreads if spread), default=0)

    @property
    def ranking(self) -> Ranking | None:
        return ranking(self.part)

    @property
    def order(self) -> tuple[str, ...]:
        """Methods by mean rank; those without one after them."""
        ranked = tuple(found.ranks) if (found := self.ranking) else ()
        return (*ranked, *(m for m in self.part.methods if m not in ranked))


def load(model: str, data: str, transfer: str, titles: dict[str, str], who: str = ALL) -> Benchmark:
    """The cells of a model: those of the shipped sweep, and of the result file where the sweep has none."""
    table = Table() if data else _table(checkpoints.assets() / "results" / FILE) or Table()
    swept = transfer in table.transfers(model)
    results = measured.load(model, data)
    if results and not swept:
        table = Table(head=results.head).joined(Table.of_results(results, model))
    part = table.part(model, transfer).only(PAPERS_SPARSITIES)
    if who == PAPER:
        part = part.without(m for m in part.methods if m not in PAPERS)
    return Benchmark(part, titles, dict(table.head), swept)


def _table(file: Path) -> Table | None:
    try:
        return _read(file, file.stat().st_mtime_ns)
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=2)
def _read(file: Path, changed: int) -> Table:
    return Table.load(file)


# --- the table ------------------------------------------------------------------------------------------------------


def league(data: Benchmark, chosen: str) -> League:
    """Methods by sparsities and tasks, the best and the second best of each column marked."""
    cells = data.part.cells()
    spreads = {m: [data.part.spread(m, *cell) for cell in cells] for m in data.order}
    places = [_places({m: spreads[m][i] for m in spreads}, column) for i, (_, column) in enumerate(cells)]
    rows = tuple(
        (
            data.title(m),
            tuple(_mark(s, c, places[i].get(m, 0)) for i, (s, (_, c)) in enumerate(zip(found, cells, strict=True))),
        )
        for m, found in spreads.items()
    )
    dense = tuple(_mark(data.part.spread(DENSE, 0.0, column), column, 0) for _, column in cells)
    about = f"{data.part.model}, {data.part.transfer}: methods by sparsity and task"
    blocks, columns = map(percent, data.part.sparsities), (column.title for column in data.part.columns)
    return League(tuple(blocks), tuple(columns), dense, rows, data.title(chosen), about)


def _places(spreads: dict[str, Spread | None], column: Column) -> dict[str, int]:
    found = marks({method: spread.mean for method, spread in spreads.items() if spread}, column)
    return {method: place for place, names in enumerate(found, 1) for method in names}


def _mark(spread: Spread | None, column: Column, place: int) -> Mark:
    if spread is None:
        return Mark("–")
    deviation = "" if spread.deviation is None else shown(spread.deviation, column)
    return Mark(shown(spread.mean, column), deviation, place)


def finding(data: Benchmark) -> str:
    """What the table says, in a line."""
    cells, found = data.part.cells(), data.ranking
    if found is None:
        return f"{data.part.model}, {data.part.transfer}: {len(cells)} cells a method"
    first, *others = found.ranks
    level = sum(not found.apart(first, other) for other in others)
    near = f"; {level} of {len(others)} others cannot be told apart from it" if level else ""
    return f"{data.title(first)} has the best mean rank, {found.ranks[first]:.1f} over {found.cells} cells{near}"


def source(data: Benchmark) -> str:
    """What the figures are from, and how many seeds."""
    head, seeds = data.head, data.seeds
    on = f"On {listed([name.capitalize() for name in data.part.data])}"
    versions = ", ".join(
        f"{name} {version}" for name, version in head.get("versions", {}).items() if name in ("torch", "transformers")
    )
    if data.swept:
        took = f", {head['seconds'] / 3600:.1f} h of one core" if head.get("seconds") else ""
        alone = data.seeds == 1 and data.part.transfer == FINE_TUNED
        chance = ". One seed: what chance does in training is not in the intervals" if alone else ""
        return f"{on}, by {head.get('command', 'a sweep')} ({_seeds(data)}{took}; {versions}){chance}"
    told = f"up to {seeds} seeds a cell: ± is said where there are several" if seeds > 1 else "one seed"
    return f"{on}, from the model's result file, which Compare shows, too ({told}; {versions})"


def _seeds(data: Benchmark) -> str:
    """With which seeds a sweep was made."""
    named = [str(seed) for seed in data.head.get("seeds", [])]
    return f"{'seed' if len(named) == 1 else 'seeds'} {listed(named)}" if named else f"{data.seeds} seeds"


def place(data: Benchmark, chosen: str) -> str:
    """Where the chosen method stands, in a sentence."""
    title, found = data.title(chosen), data.ranking
    if chosen not in data.part.methods:
        return f"{title} was not measured here."
    if found is None or chosen not in found.ranks:
        return f"{title} was not measured in all cells, so that it has no mean rank."
    names = list(found.ranks)
    first, at = names[0], names.index(chosen) + 1
    if chosen == first:
        told = "nobody comes before it"
    else:
        told = "more" if found.apart(first, chosen) else "no more"
        told = f"{found.ranks[chosen] - found.ranks[first]:.1f} behind {data.title(first)}, {told} than the critical difference"
        told += f" of {found.difference:.1f}"
    return f"{title} is {at} of {len(names)} by mean rank ({found.ranks[chosen]:.1f}): {told}."


# --- charts ---------------------------------------------------------------------------------------------------------


def wins_chart(data: Benchmark, chosen: str) -> Wins | None:
    """How often each method is first; without those that never are, but for the chosen one."""
    found = wins(data.part)
    if not found:
        return None
    counts = tally(found, data.part.methods)
    kept = sorted(((m, *c) for m, c in counts.items() if sum(c) or m == chosen), key=lambda row: (-row[1], -row[2]))
    leader, clear, near = kept[0]
    said = f"{data.title(leader)} is first in {clear + near} of {len(found)} cells, {near} of them inside the noise"
    rows = tuple((data.title(m), clear, near) for m, clear, near in kept)
    return Wins(said, rows, len(found), data.title(chosen))


def ranks_chart(data: Benchmark, chosen: str) -> MeanRanks | None:
    """Mean ranks with the critical difference; None where there are too few."""
    found = data.ranking
    if found is None:
        return None
    first, *others = found.ranks
    apart = sum(found.apart(first, other) for other in others)
    ahead = f"is surely ahead of {apart} of {len(others)} others" if apart else "is first, but surely ahead of nobody"
    said = f"{data.title(first)} {ahead}: mean ranks count when {found.difference:.1f} apart"
    rows = tuple((data.title(m), rank) for m, rank in found.ranks.items())
    return MeanRanks(said, rows, found.difference, found.cells, data.title(chosen))


def left_out(data: Benchmark) -> str:
    """Who has no mean rank, in a sentence; nothing where all have."""
    found = data.ranking
    if not found or not found.left_out:
        return ""
    names = listed([data.title(m) for m in found.left_out])
    return f"Without {names}, which {'were' if len(found.left_out) > 1 else 'was'} not measured in all cells."


def recoveries(data: Benchmark, chosen: str) -> tuple[Recovery, ...]:
    """Curves of fine-tuning at the middle one of the sparsities, a chart a task; nothing where none were noted."""
    sparsities = data.part.sparsities
    if data.part.transfer != FINE_TUNED or not sparsities:
        return ()
    at, charts = sparsities[len(sparsities) // 2], []
    for task in dict.fromkeys(column.task for column in data.part.columns):
        curves = {
            e.method: tuple((p["step"], p["figure"]) for p in e.curve if "figure" in p)
            for e in reversed(data.part.entries)
            if e.task == task and e.curve and (e.method == DENSE or abs(e.sparsity - at) < 1e-9)
        }
        dense = max((figure for _, figure in curves.pop(DENSE, ())), default=None)
        lines = tuple((data.title(m), curves[m]) for m in data.order if curves.get(m))
        if lines:
            charts.append(Recovery(TASKS.get(task).title, at, lines, dense, data.title(chosen)))
    return tuple(charts)


# --- claims ---------------------------------------------------------------------------------------------------------


def claims(data: Benchmark) -> tuple[Judged, ...]:
    """The paper's claims with the verdicts of these cells."""
    hint = "" if data.part.transfer == FINE_TUNED else "Zero-shot; the paper says it of fine-tuned models."
    found = []
    for claim, verdict in judged(data.part):
        cells = tuple((f"{percent(b.sparsity)} {b.column.title}", b.said, b.speaks_for) for b in verdict.behind)
        found.append(Judged(claim.text, verdict.word, verdict.sentence, cells, hint if claim.tuned and cells else ""))
    return tuple(found)
