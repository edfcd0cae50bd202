"""Addresses and result files as earlier versions wrote them still open, and say what they said."""

import json

import pytest

from app import state
from app.look.words import percent
from tests.app.conftest import PAGES, plots, texts

LAYER = "vision_model.encoder.layers.3.mlp.fc1.weight"

ADDRESSES = [
    ("overview", {"method": "omp", "sparsity": "0.75"}, ["OMP", "75 %"]),
    ("overview", {"allocation": "global", "sparsity": "0.9", "present": "1"}, ["MULTIFLOW (global)", "90 %"]),
    ("overview", {"model": "flatland-xvlm", "sparsity": "0.63"}, ["fusion"]),
    ("layers", {"layer": LAYER, "method": "lamp"}, ["LAMP", "vision 3 fc1"]),
    (
        "neurons",
        {"layer": LAYER, "window": "96-191,32-63", "weight": "100,40", "view": "score"},
        ["(100, 40)", "96–191"],
    ),
    ("neurons", {"layer": LAYER, "view": "disagreement", "other": "random"}, ["vision 3 fc1"]),
    ("distributions", {"of": "score", "per": "layer", "layer": LAYER}, ["score"]),
    ("flow", {"layer": LAYER, "strongest": "4"}, ["vision 3"]),
    ("retrieval", {"q": "a blue cat", "ladder": "true"}, ["MULTIFLOW"]),
    ("retrieval", {"direction": "Image to text", "scene": "12"}, ["caption"]),
    ("captioning", {"scene": "12", "sparsity": "0.5"}, ["MULTIFLOW at 50 %"]),
    ("vqa", {"scene": "5", "ask": "is there a purple car"}, ["is there a purple car"]),
    ("compare", {"task": "VQA", "method": "omp"}, ["OMP"]),
    ("benchmark", {"transfer": "zero-shot", "who": "paper"}, ["MULTIFLOW"]),
    (
        "two_runs",
        {"a": "flatland-blip,omp,own,0.63", "b": "flatland-blip,multiflow,global,0.9"},
        ["OMP at 63 %", "MULTIFLOW (global) at 90 %"],
    ),
    ("two_runs", {"a": "flatland-xvlm,lamp,own,0"}, ["flatland-xvlm"]),
    ("speed", {"method": "omp"}, ["what does pruning save"]),
    ("choose", {"method": "omp", "sparsity": "0.5"}, ["The sidebar now: OMP, 50 %"]),
    ("made_here", {"method": "omp", "sparsity": "0.5"}, ["1 run looked at", "OMP at 50 %"]),
    ("take_away", {"method": "omp", "sparsity": "0.5"}, ["50 % pruned by OMP"]),
    ("learn", {"step": "3", "w": "1,-2,6,3;9,8,-3,-8;-5,9,6,1", "answers": "hidden"}, []),
    ("learn", {"step": "6", "scale": "0.25"}, []),
    ("why", {"layer": LAYER, "weight": "12,40", "sparsity": "0.9"}, ["vision 3 fc1"]),
    ("methods", {"method": "tamt"}, ["TAMT"]),
]


@pytest.mark.parametrize(
    ("page", "params", "said"), ADDRESSES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_an_address_of_before_opens_what_it_says(open_page, page, params, said):
    at = open_page(page, **params)
    assert not at.exception and not at.error
    assert not any("howing" in warning.value for warning in at.warning)  # as a complaint about an address ends
    assert all(words in texts(at) + " ".join(plots(at)) for words in said)
    for name, text in params.items():
        if name != state.ANSWERS.name:  # lives in the address alone
            assert str(at.session_state[name]).lower() == text.lower(), name


def test_every_page_and_every_key_of_the_address_has_been_visited():
    assert {page for page, *_ in ADDRESSES} == set(PAGES)
    before = "model method sparsity allocation layer weight a b of per view other window strongest present q scene task"
    before = {
        *before.split(),
        "transfer",
        "who",
        "direction",
        "ask",
        "ladder",
        "step",
        "w",
        "scale",
        "answers",
        "story",
        "x",
    }
    assert {name for _, params, _ in ADDRESSES for name in params} == before - {"story", "x"}  # these with others
    assert before <= {value.name for value in vars(state).values() if isinstance(value, state.Key)}


OLD = {
    "dense": {"retrieval": {"IR@1": 0.9}, "captioning": {"true": 0.8}, "vqa": {"all": 0.7}},
    "runs": [
        {"method": method, "sparsity": 0.5, "scores": {"retrieval": {"IR@1": figure}}}
        for method, figure in (("multiflow", 0.6), ("omp", 0.3))
    ],
    "costs": [{"method": "omp", "seconds": 1.5}],
}


@pytest.mark.parametrize("page", ["overview", "compare", "methods"])
def test_a_result_file_without_the_newer_fields_is_shown(open_page, assets, page):
    (assets / "results" / "flatland-blip.json").write_text(json.dumps(OLD))
    at = open_page(page, method="omp", sparsity="0.5", task="Retrieval")
    assert not at.exception and not at.error
    said = (texts(at), *plots(at), *(metric.value for metric in at.metric))
    assert any(figure in words for words in said for figure in (percent(0.3), "0.3"))
