"""Navigation and the shared sidebar, nothing else."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402  (needs the path above)

from app import state, warmup  # noqa: E402
from app.app_pages import PAGES, SECTIONS, Entry  # noqa: E402
from app.parts import (  # noqa: E402
    guide,
    link,
    notebook,
    notes,
    presenter,
    session,
    sidebar,
    storyteller,
    theme,
    ui,
    welcome,
)

st.set_page_config(
    page_title="MULTIFLOW pruning lab", page_icon=str(Path(__file__).with_name("icon.png")), layout="wide"
)
ui.opened()
warmup.start()
if code := notes.asked():
    theme.style(presenting=False)
    notes.show(code)
    st.stop()
guide.enter()
presenting = presenter.presenting()
theme.style(presenting, guide.touring())


def page_of(entry: Entry) -> st.Page:
    """A page of the navigation; the first one opens at the bare address."""
    file, first = f"app_pages/{entry.file}", entry is PAGES[0]
    return st.Page(file, title=entry.title, icon=entry.icon, url_path=entry.url, default=first)


pages = {section: [page_of(entry) for entry in SECTIONS[section]] for section in SECTIONS}
overview = next(iter(pages.values()))[0]
by_url = {entry.url: found for section, entries in SECTIONS.items() for entry, found in zip(entries, pages[section])}
page = st.navigation(pages, expanded=True)
first = st.empty()
if not warmup.core_ready():
    with first.container():
        ui.guarded(welcome.show)
entry = next((entry for entry in PAGES if entry.title == page.title), PAGES[0])
session.put(state.SETTINGS, None)
settings = ui.guarded(lambda: sidebar.show(entry.looks_up, entry.asks))
first.empty()
if settings is not None:
    sidebar.notices(settings)
    tour = ui.guarded(lambda: guide.here(settings))
    if tour:
        guide.turn(tour, by_url, page)
    # Overview tells its story with what it finds itself, and a tour in its own words
    ui.guarded(lambda: storyteller.banner(settings, shown=page.title != overview.title and tour is None))
    # before the page, so that they can be pressed while it works
    with st.sidebar:
        ui.guarded(lambda: storyteller.buttons(settings, "sidebar"))
        shared = ui.guarded(lambda: presenter.share(settings))
    if tour:
        guide.bar(tour)
        guide.panel(tour)
    elif presenting:
        shown = session.get(state.SETTINGS)  # on pages that ask in the form that they show
        presenter.bar(shown, [entry for section in pages.values() for entry in section], page.title)
    presenter.to_the_top()
    notebook.note(settings)
    page.run()
    if shared:
        link.fill(shared, guide.possible(settings))  # once more: the page has put into the address what it shows
