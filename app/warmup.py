"""Loads the default model in the background, so that the first visitor waits for as little as possible."""

from __future__ import annotations

import gc
import logging
import threading

import multiflow_core
from multiflow_core.experiments.run import Run

from . import state
from .engine import checkpoints, runs

_started = threading.Lock()
log = logging.getLogger(__name__)


def start() -> None:
    """Start warming up, once per server."""
    if _started.acquire(blocking=False):
        threading.Thread(target=_warm, name="warm-up", daemon=True).start()


def core_ready() -> bool:
    """Whether the core is imported: before that, only what needs no torch can be shown at once."""
    return "rank" in vars(multiflow_core)


def _warm() -> None:
    model = state.MODEL.default
    if model not in checkpoints.models():
        return
    try:
        runs.core()
        from .facts import gallery  # needs the core

        for method in (state.METHOD.default, "omp"):
            runs.order(Run(model, method))
        usual = gallery.picture("", state.SCENE.default)
        for key in (Run.dense(model), Run(model, state.METHOD.default, state.SPARSITY.default)):
            gallery.caption(key, usual)  # on the first screen
        gallery.gallery(model, "")
        gallery.image_embeddings(Run.dense(model))
        gallery.image_embeddings(Run(model, state.METHOD.default, state.SPARSITY.default))
    except RuntimeError as problem:
        if "shutdown" not in str(problem):  # the server was stopped meanwhile
            log.exception("warming up failed")
    except Exception:  # the page that needs it will say what is wrong
        log.exception("warming up failed")
    # Streamlit looks through all objects for garbage after every run of a page. Libraries and this model are none: without
    # them that takes a few milliseconds; with them it took a quarter of a second, in which no page could answer.
    gc.collect()
    gc.freeze()
