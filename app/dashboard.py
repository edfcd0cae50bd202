"""Navigation and the shared sidebar, nothing else."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402  (needs the path above)

from app import look, sidebar, state, ui, welcome  # noqa: E402
from app.app_pages import PAGES  # noqa: E402
from app.services import warmup  # noqa: E402

st.set_page_config(
    page_title="MULTIFLOW pruning lab", page_icon=str(Path(__file__).with_name("icon.png")), layout="wide"
)
warmup.start()
look.style()
page = st.navigation(
    [st.Page(f"app_pages/{p.file}", title=p.title, icon=p.icon, url_path=p.url, default=p is PAGES[0]) for p in PAGES]
)
first = st.empty()
if not warmup.core_ready():
    with first.container():
        ui.guarded(welcome.show)
settings = ui.guarded(sidebar.show)
first.empty()
st.session_state[state.SETTINGS] = settings
if settings is not None:
    sidebar.notices(settings)
    page.run()
