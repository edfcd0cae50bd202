"""The server: `streamlit run app/main.py` starts the dashboard and warms the model up before the first visitor comes."""

import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from app import warmup  # noqa: E402  (needs the path above)
from app.engine import permits  # noqa: E402
from app.engine.guard import Guard  # noqa: E402
from app.parts import plotly_chart  # noqa: E402


@asynccontextmanager
async def lifespan(_):
    """Start loading in the background; the server answers meanwhile."""
    warmup.start()
    yield


os.environ["MULTIFLOW_ADDRESS"] = str(st.get_option("server.address") or "0.0.0.0")
app = st.App(
    Path(__file__).with_name("dashboard.py"),
    lifespan=lifespan,
    routes=[plotly_chart.route()],
    middleware=[Middleware(Guard, permits=permits.here())],
)
