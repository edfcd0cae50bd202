"""What becomes of a text before a model reads it: small letters where it was trained on them, and where a long one is cut."""

import string

import pytest
import torch
from transformers import GemmaTokenizer

import multiflow_core as mf
from benchmarks.models import build, save
from multiflow_core.families import family_of
from multiflow_core.models.vlm import VLM

LETTERS = ("<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *string.ascii_letters, "▁")


def gemma(folder, **options):
    """A tokenizer of the kind that SigLIP 2 has, letter by letter."""
    vocabulary = {letter: i for i, letter in enumerate(LETTERS)}
    made = GemmaTokenizer(vocab=vocabulary, merges=[], add_bos_token=False, add_eos_token=True, model_max_length=32)
    made.save_pretrained(folder)
    made.init_kwargs |= options
    return made


@pytest.mark.parametrize("name", ["siglip-base", "siglip2-base"])
def test_siglip_2_reads_small_letters(name, tmp_path):
    """The checkpoints of a fixed size are SigLIP's class with Gemma's tokenizer, where nothing lowers a text."""
    folder = save(name, tmp_path / name, small=True)
    gemma(folder)
    vlm = mf.load(folder)
    large, small, other = vlm.embed_texts(["A Red Car", "a red car", "a red cat"])
    assert torch.equal(large, small) and not torch.allclose(small, other, atol=1e-4)
    assert vlm.unknown_words("A Red Car") == []


def test_a_model_that_was_trained_on_capitals_reads_them(tmp_path):
    model, processor = build("siglip-base", small=True)
    processor.tokenizer = gemma(tmp_path, do_lower_case=False)
    vlm = VLM("cased", model, processor, family_of(model))
    large, small = vlm.tokens(["A Red Car", "a red car"])["input_ids"]
    assert not torch.equal(large, small)


@pytest.mark.parametrize("name", ["clip-b32", "siglip-base", "blip-base-retrieval"])
def test_a_long_text_says_where_it_was_cut(name):
    model, processor = build(name, small=True)
    vlm = VLM(name, model, processor, family_of(model))
    assert vlm.cut("a red boat") is None
    words = ["red"] * 45
    ends = len(processor.tokenizer("")["input_ids"])
    cut = vlm.cut(" ".join(words))
    assert (cut.tokens, cut.most) == (45 + ends, 32)
    read = " ".join(words[: 32 - ends])
    assert cut.read.startswith("... ") and read.endswith(cut.read[4:]) and len(cut.read) <= 44
    assert vlm.cut(read) is None
    # and it is what the model reads
    assert torch.equal(vlm.tokens([read])["input_ids"], vlm.tokens([" ".join(words)])["input_ids"])
