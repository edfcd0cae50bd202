"""App pages: one thin file a page, in the order of a visit. Uses parts, facts, engine, lesson, charts, markup, look and state.

A page ends with `ui.page(show)`. One that stands in no section here comes last under "Try", by the name of its file.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Entry(NamedTuple):
    """A page of the navigation.

    Attributes:
        looks_up: whether its charts look everything up, so that they can move with the slider.
        asks: whether it asks models what they find and say, so that these may be fine-tuned.
    """

    file: str
    title: str
    icon: str
    url: str
    looks_up: bool = False
    asks: bool = False


SECTIONS: dict[str, tuple[Entry, ...]] = {
    "Explore": (
        Entry("overview.py", "Overview", ":material/grid_view:", "overview", True),
        Entry("layers.py", "Layers", ":material/layers:", "layers", True),
        Entry("neurons.py", "Neurons", ":material/lens_blur:", "neurons", True),
        Entry("distributions.py", "Distributions", ":material/ssid_chart:", "distributions", True),
        Entry("flow.py", "Flow", ":material/account_tree:", "flow", True),
    ),
    "Try": (
        Entry("retrieval.py", "Retrieval", ":material/image_search:", "retrieval", asks=True),
        Entry("captioning.py", "Captioning", ":material/chat:", "captioning", asks=True),
        Entry("vqa.py", "VQA", ":material/contact_support:", "vqa", asks=True),
    ),
    "Compare": (
        Entry("compare.py", "Compare", ":material/leaderboard:", "compare", True),
        Entry("benchmark.py", "Benchmark", ":material/trophy:", "benchmark"),
        Entry("two_runs.py", "Two runs", ":material/compare:", "two-runs", asks=True),
        Entry("speed.py", "Speed", ":material/speed:", "speed"),
    ),
    "Keep": (
        Entry("choose.py", "Choose for me", ":material/rule:", "choose"),
        Entry("made_here.py", "Made here", ":material/inventory_2:", "made-here"),
        Entry("take_away.py", "Take away", ":material/archive:", "take-away"),
    ),
    "Learn": (
        Entry("learn.py", "Learn", ":material/school:", "learn"),
        Entry("why.py", "Why this weight?", ":material/help_center:", "why", True),
        Entry("methods.py", "Methods", ":material/menu_book:", "methods"),
    ),
}
_PLACED = {entry.file for entries in SECTIONS.values() for entry in entries} | {"__init__.py"}
SECTIONS["Try"] += tuple(
    Entry(file.name, file.stem.replace("_", " ").capitalize(), ":material/extension:", file.stem.replace("_", "-"))
    for file in sorted(Path(__file__).parent.glob("*.py"))
    if file.name not in _PLACED
)
PAGES: tuple[Entry, ...] = tuple(entry for entries in SECTIONS.values() for entry in entries)
