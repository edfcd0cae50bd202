"""A dozen types of the zoo, chosen for being different, through the whole line; `python -m benchmarks.zoo` takes all."""

import pytest

from benchmarks.zoo.__main__ import row, summary
from benchmarks.zoo.folders import KNOWN, opened
from benchmarks.zoo.line import Found, through
from benchmarks.zoo.types import GENERATING, OTHER_HEADS, TWO_TOWERS, TYPES

# layers by modality, counted by hand from the architecture: two blocks of everything
DIFFERENT = {
    "LlavaForConditionalGeneration": {"text": 14, "vision": 12},  # placeholders in the text
    "Qwen2_5_VLForConditionalGeneration": {"text": 14, "vision": 10},  # packed patches
    "Qwen3VLMoeForConditionalGeneration": {"text": 12, "vision": 8},  # experts, taken in groups
    "Llama4ForConditionalGeneration": {"text": 18, "vision": 12},  # experts, all at once, stored the other way round
    "Phi4MultimodalForCausalLM": {"fusion": 8, "vision": 12},  # hearing, which never runs; SigLIP's pooler, for nothing
    "JanusForConditionalGeneration": {"text": 14, "vision": 12},  # drawing, which never runs
    "Pix2StructForConditionalGeneration": {"text": 22, "vision": 14},  # patches with row and column numbers
    "Idefics2ForConditionalGeneration": {"fusion": 14, "text": 14, "vision": 12},  # a perceiver
    "MllamaForConditionalGeneration": {"text": 14, "vision": 18},  # cross-attention
    "VisionEncoderDecoderModel": {"text": 14, "vision": 12},  # GPT-2, whose weights lie the other way round
    "FlavaModel": {"fusion": 12, "text": 12, "vision": 12},  # its fusion counts
    "BridgeTowerForContrastiveLearning": {"fusion": 40, "text": 12, "vision": 8},  # packed queries, keys and values
    "LxmertForQuestionAnswering": {"fusion": 32, "text": 12, "vision": 12},  # no pictures but regions
    "ViltForQuestionAnswering": {"fusion": 12},  # a single stream
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_through_the_line(name):
    found = through(name)
    assert found.trouble == "" and found.passes and found.keeps
    assert found.layers == DIFFERENT[name]
    assert found.heads == () and found.lost == ()
    assert all(len(reason) > 5 for reason in found.dense.values())


def test_what_is_left_dense_says_why():
    dense = through("Qwen3VLMoeForConditionalGeneration").dense
    assert dense["lm_head.weight"].startswith("an output head")
    assert dense["model.language_model.layers.0.mlp.gate.weight"].startswith("a router")
    assert dense["model.visual.merger.linear_fc1.weight"].startswith("a projection")
    assert not any("experts" in name for name in dense)


def test_the_zoo_is_as_large_as_it_says():
    assert (len(GENERATING), len(TWO_TOWERS), len(OTHER_HEADS)) == (45, 19, 16) and len(TYPES) == 80


def test_the_table():
    good = Found("A", {"text": 2}, calibrated=6, asked=5, pruned=5, runs=True, keeps=True)
    bad = Found("B", {"unknown": 1}, lost=("w",), heads=("lm_head.weight",), calibrated=6, asked=5, pruned=4, runs=True)
    assert "exact yes  yes" in row(good)
    assert "no    yes  no" in row(bad) and "lm_head.weight" in row(bad) and "lost without a word: w" in row(bad)
    assert summary([good, bad]) == (
        "1 of 2 through the line, 1 with hidden states and what they generate; output heads pruned: 1; "
        "layers of unknown modality: 1 types; matrices lost without a word: 1 types"
    )


# --- folders --------------------------------------------------------------------------------------------------------


def test_a_folder_is_opened_asked_and_pruned(tmp_path):
    found = opened("vision-encoder-decoder", tmp_path)
    assert found.works and found.tasks == ("captioning",) and found.trouble == ""


def test_what_cannot_be_opened_says_why(tmp_path):
    found = opened("owlv2", tmp_path)
    assert not found.works and "scipy" in found.trouble and str(tmp_path) not in found.trouble


def test_every_type_of_folder_is_known_once():
    assert len(KNOWN) == len(set(KNOWN)) >= 50
