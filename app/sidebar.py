"""The shared sidebar: model, method, sparsity. Every setting is in the URL."""

from __future__ import annotations

import streamlit as st

from . import state, ui
from .services import paths, runs
from .services.results import HEADLINE


def show() -> state.Settings | None:
    """Draw the sidebar and return what it says; None when there is no model to show."""
    names = paths.models()
    if not names:
        st.error(
            f"There is no checkpoint in {paths.assets().name}/: train one, or put a folder with config.json there.",
            icon=":material/folder_off:",
        )
        return None
    with st.sidebar:
        place = st.container()
        with ui.working() as progress:
            _core(progress)
        pruners = {m.name: m for m in runs.methods()}
        _check_address(names, tuple(pruners))
        _take_from_address(state.METHOD, tuple(pruners))
        with place:
            model = _model(names)
            with st.container(key="sidebar_method"):
                method = st.pills(
                    "Method", list(pruners), required=True, key=state.METHOD.name, format_func=lambda name: pruners[name].title
                )  # fmt: skip
                _keep_in_address(state.METHOD, method)
                st.caption(pruners[method].idea)
            with st.container(key="sidebar_sparsity"):
                sparsity = st.slider(
                    "Sparsity", 0.0, 1.0, state.SPARSITY.default, 0.01, format="percent", key=state.SPARSITY.name,
                    bind="query-params", help="The share of the prunable weights that are set to zero.",
                )  # fmt: skip
                with st.container(horizontal=True, gap="xsmall", key="presets"):
                    for preset in state.PRESETS:
                        st.button(
                            "Dense" if preset == 0 else f"{preset:.0%}", key=f"preset_{preset:.0%}".rstrip("%"),
                            on_click=_choose, args=(preset,), help=_PRESET_HELP.get(preset),
                            type="primary" if abs(sparsity - preset) < 0.005 else "secondary",
                        )  # fmt: skip
    return state.Settings(model, method, round(sparsity, 2))


_PRESET_HELP = {
    0.0: "Nothing pruned",
    0.63: "The paper's mildest setting",
    0.75: "The paper's middle setting",
    0.90: "The paper's hardest setting",
}


def _core(progress) -> None:
    """Import the core on the worker, so that this session stays interruptible meanwhile."""

    def make(report):
        report(0.2, "starting PyTorch")
        import multiflow_core

        return multiflow_core

    runs.STORE.get("models", "core", make, progress)


def _choose(sparsity: float) -> None:
    st.session_state[state.SPARSITY.name] = sparsity


def _take_from_address(key: state.Key[str], choices: tuple[str, ...]) -> None:
    """On a session's first run, set a key that is no bound widget's from the address."""
    if key.name not in st.session_state:
        asked = st.query_params.get(key.name)
        default = key.default if key.default in choices else choices[0]
        st.session_state[key.name] = asked if asked in choices else default


def _keep_in_address(key: state.Key[str], value: str) -> None:
    """Write it there, unless it is the default."""
    if value == key.default:
        st.query_params.pop(key.name, None)
    elif st.query_params.get(key.name) != value:
        st.query_params[key.name] = value


def _model(names: tuple[str, ...]) -> str:
    if len(names) == 1:
        st.markdown(f"**Model** · {names[0]}")
        return names[0]
    default = names.index(state.MODEL.default) if state.MODEL.default in names else 0
    return st.selectbox("Model", names, index=default, key=state.MODEL.name, bind="query-params")


def _check_address(models: tuple[str, ...], methods: tuple[str, ...]) -> None:
    """On a session's first run, note what in the address cannot be used."""
    if state.NOTICES not in st.session_state:
        choices = {
            state.MODEL: models,
            state.METHOD: methods,
            state.DIRECTION: state.DIRECTIONS,
            state.TASK: tuple(HEADLINE),
        }
        st.session_state[state.NOTICES] = state.complaints(st.query_params, choices)


def notices(settings: state.Settings) -> None:
    """Say what in the address could not be used, until the settings are changed."""
    if st.session_state.get(state.NOTICES):
        seen = st.session_state.setdefault(f"{state.NOTICES} at", settings)
        if seen != settings:
            st.session_state[state.NOTICES] = []
        for sentence in st.session_state[state.NOTICES]:
            st.warning(sentence, icon=":material/link_off:")
