"""Two runs with masks that were made elsewhere."""

import pytest

import multiflow_core as mf
from app.engine import made_elsewhere


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIFLOW_UPLOADS", str(tmp_path / "uploads"))
    return mf.rank(mf.load("flatland-blip").model, "omp").masks(0.75).save(tmp_path / "mine.safetensors")


def typed(at, place) -> None:
    at.button(key="masks_B").click().run()
    at.text_input(key="masks_name").set_value(str(place))
    at.button(key="masks_typed").click().run()


def said(at) -> str:
    return "\n".join(part.value for part in at.markdown).replace("\u00a0", " ")


def test_a_file_on_the_server_becomes_run_b(open_page, assets, file):
    at = open_page("two_runs", method="omp", sparsity="0.75")
    typed(at, file)
    assert not at.exception and not at.error
    assert "**B** · mine at 75 %" in said(at) and ",0.75,form=masks-" in at.query_params["b"]
    assert "OMP at 75 % and mine at 75 % keep the same share of every layer" in said(at)


def test_what_is_no_file_of_masks_is_told_in_the_dialog(open_page, assets, file):
    at = open_page("two_runs")
    typed(at, file.with_name("nowhere"))
    assert "There is neither masks nor a packed checkpoint at" in at.error[0].value and "b" not in at.query_params


def test_masks_that_are_gone_are_told(open_page, assets, file):
    at = open_page("two_runs", b="flatland-blip,,own,0.75,form=masks-0123456789abcdef")
    assert any("These masks are no longer kept here" in warning.value for warning in at.warning)


def test_masks_of_another_model_are_told(open_page, assets, file):
    form = made_elsewhere.keep(file.name, file.read_bytes(), 1 << 26)
    at = open_page("two_runs", b=f"flatland-xvlm,,own,0.75,form={form}")
    assert "The address pins masks. The masks are of" in "".join(warning.value for warning in at.warning)
