"""What an address says, and what is said about an address that cannot be used."""

import pytest

from app import state


def keys() -> list[state.Key]:
    return [value for value in vars(state).values() if isinstance(value, state.Key)]


@pytest.mark.parametrize(("text", "value"), [("0", 0.0), ("1", 1.0), ("0.63", 0.63), ("0.634", 0.63), ("1e-1", 0.1)])
def test_sparsity_is_a_fraction(text, value):
    assert state.SPARSITY.parse(text) == value


@pytest.mark.parametrize("text", ["1.01", "-0.1", "63", "nan", "inf", "", "lots", "0,5", "9" * 400])
def test_a_sparsity_outside_0_to_1_is_one_sentence(text):
    sentences = state.complaints({"sparsity": text}, {})
    assert len(sentences) == 1
    default = f"showing {100 * state.SPARSITY.default:.0f} %"
    assert "between 0 and 1" in sentences[0] and default in sentences[0] and len(sentences[0]) < 160


@pytest.mark.parametrize("text", ["-1", "1000000", "1.5", "cat", "", "٣", "9" * 400])
def test_a_scene_that_is_none_is_one_sentence(text):
    assert len(state.complaints({"scene": text}, {})) == 1


@pytest.mark.parametrize(("text", "place"), [("12,40", (12, 40)), ("0, 0", (0, 0)), ("", None)])
def test_a_weight_is_named_by_row_and_column(text, place):
    assert state.place_of(state.WEIGHT.parse(text)) == place


@pytest.mark.parametrize("text", ["12", "12,", "1,2,3", "-1,2", "a,b", "٣,1", "1.5,2", "9" * 400 + ",1"])
def test_a_weight_that_is_none_is_one_sentence(text):
    sentences = state.complaints({"weight": text}, {})
    assert len(sentences) == 1 and "row" in sentences[0] and sentences[0].endswith("showing none.")


def test_names_must_exist():
    found = state.complaints(
        {"method": "magic", "model": "m"}, {state.METHOD: ("multiflow", "omp"), state.MODEL: ("m",)}
    )
    assert found == ["There is no method “magic” (there is multiflow, omp): showing multiflow."]


def test_every_default_is_valid():
    assert not state.complaints({key.name: str(key.default) for key in keys()}, {state.DIRECTION: state.DIRECTIONS})


def test_keys_are_distinct():
    assert len({key.name for key in keys()}) == len(keys()) >= 6
