"""Choosing for a reader who needs a faster model."""

import shutil

from app.engine import checkpoints
from multiflow_core.experiments.speed import Speeds


def said(at) -> str:
    return "\n".join(part.value for part in (*at.markdown, *at.caption)).replace("\u00a0", " ").replace("\\", "")


def test_whoever_needs_a_faster_model_is_offered_fewer_hidden_units(open_page, assets, shrunk):
    shipped = checkpoints.ROOT / "assets" / "results" / "flatland-blip.speed.json"
    shutil.copy(shipped, assets / "results" / shipped.name)
    fastest = max(
        one.faster["retrieval"][32].seconds for one in Speeds.load(shipped).models if one.name.startswith("neurons")
    )
    at = open_page("choose")
    at.slider(key="wish_faster").set_value(1.25).run()
    assert not at.exception and not at.error
    assert "MULTIFLOW, hidden units, at" in said(at)
    at.button(key="take_choice").click().run()
    assert at.session_state["form"] == "smaller"
    at.slider(key="wish_faster").set_value(2.0).run()
    said_so = any("No measured run is small or quick enough" in warning.value for warning in at.warning)
    assert said_so == (fastest < 2.0)
