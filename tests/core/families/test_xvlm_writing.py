"""What an X-VLM writes once it was fine-tuned for it: no word sees later ones, and no answer sees padding."""

import pytest
import torch

from multiflow_core.families import family_of
from multiflow_core.pretrain.reading import flatland_processor


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.no_grad():
        yield


@pytest.fixture
def writer(xvlm):
    model, started = family_of(xvlm).headed(xvlm, flatland_processor(), "vqa")
    return family_of(model).headed(model, flatland_processor(), "captioning")[0], started


def test_it_has_its_own_configuration_and_shares_all_else(writer, xvlm):
    model, started = writer
    assert model.config.learnt == ["vqa", "captioning"] and xvlm.config.learnt is None and xvlm.answer_decoder is None
    assert model.fusion_encoder.layer[0].output.dense.weight is xvlm.fusion_encoder.layer[0].output.dense.weight
    held, parameters = dict(xvlm.named_parameters()), dict(model.named_parameters())
    assert started and all(torch.equal(parameters[new], held[old]) for new, old in started.items())
    assert all(parameters[new] is not held[old] for new, old in started.items())


def test_a_word_of_a_caption_does_not_depend_on_later_ones(writer, xvlm):
    model, _ = writer
    image = model.image_states(torch.randn(1, 3, 96, 96))
    ids = torch.tensor([[2, 11, 12, 13, 14]])
    mask, other = torch.ones_like(ids), ids.clone()
    other[:, 3:] = 20
    one, two = model.next_words(ids, mask, image), model.next_words(other, mask, image)
    assert torch.allclose(one[:, :3], two[:, :3], atol=1e-6) and not torch.allclose(one[:, 3:], two[:, 3:], atol=1e-3)
    alone = model.next_words(ids[:, :3], mask[:, :3], image)
    assert torch.allclose(alone, one[:, :3], atol=1e-5)


def test_an_answer_does_not_depend_on_the_padding_of_its_question(writer):
    model, _ = writer
    answer, asked = torch.tensor([[2, 9]]), torch.randn(1, 4, 32)
    plain = model.answer_words(answer, torch.ones_like(answer), asked, torch.ones(1, 4).long())
    padded = torch.cat([asked, torch.randn(1, 3, 32)], dim=1)
    mask = torch.tensor([[1, 1, 1, 1, 0, 0, 0]])
    assert torch.allclose(model.answer_words(answer, torch.ones_like(answer), padded, mask), plain, atol=1e-5)
    assert not torch.allclose(model.answer_words(answer, torch.ones_like(answer), padded, torch.ones_like(mask)), plain)


def test_greedy_texts_end_with_the_last_token_and_are_likeliest_word_by_word(writer):
    model, _ = writer
    family = family_of(model)
    pixels = torch.randn(3, 3, 96, 96)
    ids, sure = family.generate_caption(model, {"pixel_values": pixels}, 5)
    assert ids.shape == sure.shape and ids.shape[0] == 3
    image = model.image_states(pixels)
    begun = torch.cat([torch.full((3, 1), 2), ids], dim=1)
    likely = model.next_words(begun[:, :-1], torch.ones_like(begun[:, :-1]), image).softmax(-1)
    for row in range(3):
        for i, word in enumerate(ids[row].tolist()):
            assert word == likely[row, i].argmax() and sure[row, i] == pytest.approx(
                likely[row, i, word].item(), abs=1e-5
            )
            if word == 3:
                assert (ids[row, i + 1 :] == 0).all()
                break
