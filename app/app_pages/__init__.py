"""App pages: one thin file a page, in the order of a visit. Uses parts, facts, engine, lesson, charts, markup, look and state.

A page ends with `ui.page(show)`. One that stands in no section here comes last under "Try", by the name of its file.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Entry(NamedTuple):
    """A page of the navigation."""

    file: str
    title: str
    icon: str
    url: str


SECTIONS: dict[str, tuple[Entry, ...]] = {
    "Explore": (
        Entry("overview.py", "Overview", ":material/grid_view:", "overview"),
        Entry("layers.py", "Layers", ":material/layers:", "layers"),
        Entry("neurons.py", "Neurons", ":material/lens_blur:", "neurons"),
        Entry("distributions.py", "Distributions", ":material/ssid_chart:", "distributions"),
        Entry("flow.py", "Flow", ":material/account_tree:", "flow"),
    ),
    "Try": (
        Entry("retrieval.py", "Retrieval", ":material/image_search:", "retrieval"),
        Entry("captioning.py", "Captioning", ":material/chat:", "captioning"),
        Entry("vqa.py", "VQA", ":material/contact_support:", "vqa"),
    ),
    "Compare": (
        Entry("compare.py", "Compare", ":material/leaderboard:", "compare"),
        Entry("two_runs.py", "Two runs", ":material/compare:", "two-runs"),
    ),
    "Learn": (
        Entry("learn.py", "Learn", ":material/school:", "learn"),
        Entry("why.py", "Why this weight?", ":material/help_center:", "why"),
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
