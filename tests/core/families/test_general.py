"""Models that no special family knows, opened from folders with the processors that they are published with."""

import json
import shutil

import pytest
import torch
from PIL import Image

import multiflow_core as mf
from benchmarks.models import pictures
from benchmarks.zoo import published
from multiflow_core.data.dataset import Question
from multiflow_core.experiments.prepare import evidence_of, sample_of
from multiflow_core.families import families, family_of, generative
from multiflow_core.families.general import accepted
from multiflow_core.models.formats.packed import save_packed

WRITING = (
    "llava", "paligemma", "gemma3", "smolvlm", "qwen2_vl", "qwen3_vl_moe", "internvl", "blip-2", "florence2", "kosmos-2",
    "git", "mllama", "idefics", "blip-2-t5",
)  # fmt: skip
TOWERS = ("altclip", "align", "chinese_clip", "aimv2")
QUESTIONS = ["is there a boat", "what is to the left of the big red house at night", "how many"]


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """name -> the model of a folder, written and opened once."""
    known = {}

    def open_(name):
        if name not in known:
            known[name] = mf.load(published.save(name, tmp_path_factory.mktemp(name) / name))
        return known[name]

    return open_


def views():
    """Pictures of different shapes."""
    images = [image for image, _ in pictures(3)]
    return [images[0], images[1].resize((90, 40)), images[2].resize((40, 90))]


@pytest.mark.parametrize("name", WRITING + TOWERS)
def test_a_folder_opens_as_the_class_it_names_with_the_processor_beside_it(opened, name):
    vlm = opened(name)
    held = json.loads((vlm.folder / "config.json").read_text())["architectures"]
    assert [type(vlm.model).__name__] == held
    assert type(vlm.processor).__name__ == type(published.build(name)[1]).__name__
    assert vlm.family is family_of(vlm.model) and vlm.family.general
    assert vlm.tasks == (("captioning", "vqa") if name in WRITING else ("retrieval",))
    assert 28 <= vlm.side <= 64 and vlm.layers


@pytest.mark.parametrize("name", WRITING)
def test_answers_and_captions_do_not_depend_on_what_else_is_asked(opened, name):
    vlm, images = opened(name), views()
    answers = vlm.answer(images, QUESTIONS)
    captions = vlm.caption(images, 3)
    for image, question, answer, caption in zip(images, QUESTIONS, answers, captions, strict=True):
        (alone,), (described,) = vlm.answer([image], [question]), vlm.caption([image], 3)
        assert alone.text == answer.text and alone.probability == pytest.approx(answer.probability, rel=1e-3)
        assert described.words == caption.words and described.probabilities == pytest.approx(
            caption.probabilities, 1e-3
        )
        assert len(caption.words) == len(caption.probabilities)


@pytest.mark.parametrize("name", [name for name in WRITING if name != "kosmos-2"])
def test_padding_changes_no_answer(opened, name):
    """Not even that of a short question beside a long one; Kosmos-2 counts padding as places, and is never given any."""
    vlm, image = opened(name), views()[0]
    inputs = vlm.family.asked(vlm.model, vlm.processor, [image] * 3, QUESTIONS)
    ids, sure, _ = vlm.family.generate_answer(vlm.model, inputs, 3)
    for i, question in enumerate(QUESTIONS):
        alone = vlm.family.generate_answer(
            vlm.model, vlm.family.asked(vlm.model, vlm.processor, [image], [question]), 3
        )
        assert torch.equal(ids[i], alone[0][0]) and torch.allclose(sure[i], alone[1][0], rtol=1e-3)


@pytest.mark.parametrize("name", [name for name in WRITING if name not in ("florence2", "blip-2-t5")])
def test_probabilities_are_those_of_the_model_itself(opened, name):
    """Word by word, each read off a forward pass of its own."""
    vlm, image = opened(name), views()[0]
    inputs = vlm.family.asked(vlm.model, vlm.processor, [image], ["is there a boat"])
    ids, sure, first = vlm.family.generate_answer(vlm.model, inputs, 2)
    with torch.no_grad():
        chances = vlm.model(**inputs).logits[0, -1].softmax(-1)
    assert torch.allclose(first[0], chances, atol=1e-5)
    assert ids[0, 0] == chances.argmax() and float(sure[0, 0]) == pytest.approx(float(chances.max()), rel=1e-3)


@pytest.mark.parametrize("name", TOWERS)
def test_towers_find_by_their_embeddings(opened, name):
    vlm, images = opened(name), views()
    seen, said = vlm.embed_images(images), vlm.embed_texts(QUESTIONS)
    assert seen.shape == said.shape and torch.allclose(seen.norm(dim=1), torch.ones(3), atol=1e-5)
    assert torch.allclose(said, torch.cat([vlm.embed_texts([text]) for text in QUESTIONS]), atol=1e-5)
    assert torch.allclose(seen, torch.cat([vlm.embed_images([image]) for image in images]), atol=1e-5)
    with torch.no_grad():
        own = vlm.model(**vlm.image_inputs(images), **vlm.tokens(QUESTIONS)).logits_per_image
    assert torch.equal(own.argsort(1), (seen @ said.T).argsort(1))  # the model's own comparison ranks alike
    assert vlm.match(images, QUESTIONS) is None


@pytest.mark.parametrize("name", WRITING + TOWERS)
def test_they_are_calibrated_pruned_and_still_run(opened, name):
    vlm = opened(name)
    batches = list(vlm.batches(pictures(3), 2))
    assert mf.calibrate(vlm.model, batches).samples == 3
    masks = mf.rank(vlm.model, "multiflow", statistics=mf.calibrate(vlm.model, batches)).masks(0.63)
    pruned = vlm.prune(masks)
    if name in WRITING:
        assert (
            pruned.answer(views()[:1], QUESTIONS[:1])[0].alternatives
            != vlm.answer(views()[:1], QUESTIONS[:1])[0].alternatives
        )
    else:
        assert not torch.allclose(pruned.embed_texts(QUESTIONS), vlm.embed_texts(QUESTIONS), atol=1e-3)


@pytest.mark.parametrize("name", ["llava", "qwen3_vl_moe", "florence2", "git", "align"])
def test_they_are_reconstructed_on_pairs_and_what_they_are_asked(opened, name):
    vlm = opened(name)
    samples = evidence_of("samples", vlm, sample=sample_of(3))
    assert bool(list(samples.questions)) == (name in WRITING)
    order = mf.rank(vlm.model, "reflow", evidence=[samples], layers=samples.layers, steps=4)
    masks = order.masks(0.6)
    assert masks.pruned == int(0.6 * order.total) and set(masks) == {layer.name for layer in samples.layers}
    pruned = vlm.prune(masks, order.weights(0.6))
    assert pruned.answer(views()[:1], QUESTIONS[:1]) if name in WRITING else len(pruned.embed_texts(QUESTIONS)) == 3


def test_an_answer_is_what_was_said_when_it_was_asked_its_question(opened):
    for name in ("llava", "git"):  # with a chat template and without
        vlm = opened(name)
        asked = [(0, Question("is there a boat", "yes")), (0, Question("how many", "two"))]
        (batch,) = vlm.question_batches(views()[:1], asked)
        told = vlm.processor.tokenizer.batch_decode(batch["input_ids"], skip_special_tokens=True)
        for text, (_, question) in zip(told, asked, strict=True):
            assert question.text in text and question.answer in text.partition(question.text)[2]


@pytest.mark.parametrize("name", WRITING + TOWERS)
def test_the_objective_learns_the_pairs(opened, name):
    """A small step against its gradient makes it smaller."""
    vlm, (model, _) = opened(name), published.build(name)
    batch = next(vlm.batches(pictures(3)))
    loss = vlm.family.objective(model, batch)
    assert torch.equal(loss, vlm.family.objective(model, batch))
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    steep = torch.stack([gradient.norm() for gradient in gradients if gradient is not None]).norm()
    with torch.no_grad():
        for weight, gradient in zip(weights, gradients, strict=True):
            weight -= 0 if gradient is None else 1e-4 * gradient / steep
        assert vlm.family.objective(model, batch) < loss


def test_a_loss_counts_words_and_neither_padding_nor_pictures(opened):
    vlm = opened("llava")
    batch = next(vlm.batches(pictures(3)))
    said = generative._said(vlm.model, batch)
    image = vlm.processor.image_token_id
    assert bool((batch["input_ids"] == image).any()) and bool((batch["attention_mask"] == 0).any())
    counted = (batch["input_ids"] != image) & (batch["attention_mask"] == 1)
    assert torch.equal(said[counted], batch["input_ids"][counted]) and bool((said[~counted] == -100).all())


def test_what_is_pruned_opens_again_with_a_processor_that_cannot_be_written_down(opened, tmp_path):
    vlm = opened("qwen2_vl")
    masks = mf.rank(vlm.model, "omp").masks(0.75)
    pruned = vlm.prune(masks)
    again = mf.load(save_packed(pruned, masks, tmp_path / "pruned"))
    assert again.answer(views(), QUESTIONS) == pruned.answer(views(), QUESTIONS)
    held = {file.name for file in vlm.folder.iterdir()} - {"model.safetensors"}
    assert held <= {file.name for file in again.folder.iterdir()}


def test_what_ends_a_turn_is_kept_with_what_is_pruned(opened, tmp_path):
    vlm = opened("llava")
    masks = mf.rank(vlm.model, "omp").masks(0.75)
    before, vlm.model.generation_config.eos_token_id = vlm.model.generation_config.eos_token_id, [5, 7]
    try:
        again = mf.load(save_packed(vlm.prune(masks), masks, tmp_path / "pruned"))
    finally:
        vlm.model.generation_config.eos_token_id = before
    assert {5, 7} <= again.family.ends(again.model, again.processor.tokenizer)


def test_what_cannot_be_read_here_is_kept_for_elsewhere(folder, tmp_path):
    change(folder / "processor_config.json", processor_class="PixtralProcessor")
    vlm = mf.load(folder)
    masks = mf.rank(vlm.model, "omp").masks(0.75)
    again = save_packed(vlm.prune(masks), masks, tmp_path / "pruned")
    assert (again / "processor_config.json").read_text() == (folder / "processor_config.json").read_text()
    assert (again / "chat_template.jinja").is_file() and "torchvision" in mf.load(again).unreadable


def test_fewer_pictures_go_together_the_more_work_they_are(opened, monkeypatch):
    vlm = opened("smolvlm")
    image = views()[0]
    assert vlm._at_once(image) == 64
    monkeypatch.setattr(generative, "ROOM", generative.ROOM >> 12)
    few = vlm._at_once(image)
    assert 1 <= few < 64
    assert len(next(vlm.batches([(image, "a boat")] * 70))["input_ids"]) == few
    assert len(vlm.caption([image] * 5, 2)) == 5


@pytest.mark.parametrize("name", ["git", "qwen2_vl"])
def test_a_question_that_is_too_long_is_cut_where_it_is_said_to_be(opened, name):
    vlm, image, long = opened(name), views()[0], "is there a boat " * 300
    cut = vlm.cut(long)
    assert cut.most == (64 if name == "git" else 256) and cut.tokens > 1000
    read = vlm.family._cut(vlm.model, vlm.processor, [long, "how many"])
    assert read[1] == "how many" and read[0].endswith(cut.read.removeprefix("... "))
    assert vlm.cut(read[0]) is None and vlm.answer([image], [long]) == vlm.answer([image], [read[0]])


@pytest.mark.parametrize("name", ["llava", "paligemma", "blip-2", "gemma3"])
def test_who_writes_what_stands_for_a_picture_adds_none(opened, name):
    vlm, image = opened(name), views()[0]
    mark = str(vlm.processor.boi_token if name == "gemma3" else vlm.processor.image_token)
    assert vlm.answer([image], [f"is {mark}there a boat"]) == vlm.answer([image], ["is there a boat"])


def test_the_special_families_are_asked_first():
    general = [family.general for family in families()]
    assert general == sorted(general) and sum(general) == 2
    assert family_of(published.build("llava")[0]).name == "generative"


# --- what is refused ------------------------------------------------------------------------------------------------


def refused(folder) -> str:
    with pytest.raises(ValueError, match=str(folder)) as caught:
        mf.load(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def folder(opened, tmp_path):
    return shutil.copytree(opened("llava").folder, tmp_path / "llava")


def change(file, **fields):
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


def test_code_of_a_checkpoint_is_never_run(folder, tmp_path):
    (folder / "modeling_own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    change(folder / "config.json", architectures=["OwnModel"], auto_map={"AutoModel": "modeling_own.OwnModel"})
    assert "code" in refused(folder) and "never run" in refused(folder)
    assert not (tmp_path / "ran").exists()


def test_a_class_that_writes_no_text_about_pictures_is_refused(folder):
    change(folder / "config.json", architectures=["LlamaForCausalLM"])
    assert "LlamaForCausalLM, which no family knows" in refused(folder)


@pytest.mark.parametrize("name", ["qwen2_vl", "llava"])
def test_what_reads_pictures_may_lie_beside_what_puts_it_together_with_the_tokenizer(opened, tmp_path, name):
    """As most folders of 2024 and 2025 were published."""
    folder = shutil.copytree(opened(name).folder, tmp_path / name)
    held = json.loads((folder / "processor_config.json").read_text())
    (folder / "preprocessor_config.json").write_text(json.dumps(held.pop("image_processor")))
    (folder / "processor_config.json").write_text(json.dumps(held))
    assert mf.load(folder).answer(views(), QUESTIONS) == opened(name).answer(views(), QUESTIONS)
    change(folder / "preprocessor_config.json", image_std=[0, 0, 0])
    assert "preprocessor_config.json says image_std" in refused(folder)


def test_a_processor_that_needs_another_package_is_named_and_the_weights_are_there(folder):
    change(folder / "processor_config.json", processor_class="PixtralProcessor")
    vlm = mf.load(folder)
    assert "needs the package torchvision, which is not installed here" in vlm.unreadable and "\n" not in vlm.unreadable
    assert mf.rank(vlm.model, "omp").masks(0.5).sparsity == pytest.approx(0.5, abs=1e-4)
    with pytest.raises(ValueError, match="torchvision"):
        vlm.answer(views()[:1], QUESTIONS[:1])


def test_a_processor_that_reads_no_pictures_leaves_the_weights(tmp_path):
    """Fuyu's, in transformers 5.23, without torchvision."""
    vlm = mf.load(published.save("fuyu", tmp_path / "fuyu"))
    assert "reads no picture together with a text" in vlm.unreadable and vlm.layers


def test_a_package_that_is_missed_only_when_a_picture_is_read_is_named(tmp_path):
    assert "needs the package scipy" in mf.load(published.save("owlv2", tmp_path / "owlv2")).unreadable


# --- small parts ----------------------------------------------------------------------------------------------------


def test_pieces_join_to_words():
    tokenizer = published.words()
    ids = tokenizer("a lighthouse, red")["input_ids"]
    pieces = generative.Generative().pieces(tokenizer, ids)
    assert len(pieces) == len(ids) and " ".join(pieces).replace(" ##", "") == "a lighthouse, red"


def test_a_first_word_with_a_space_in_front_is_the_same_word():
    tokenizer = published.words()
    (bare,), (spaced,) = (tokenizer(text)["input_ids"] for text in ("a", " a"))
    found = generative.Generative().first_words(tokenizer, [(bare, 0.3), (spaced, 0.2)])
    assert bare != spaced and found == [("a", 0.5)]


def test_what_is_asked_does_not_end():
    held = {"input_ids": torch.tensor([[5, 6, 2], [0, 7, 2]]), "attention_mask": torch.tensor([[1, 1, 1], [0, 1, 1]])}
    held["pixel_values"] = torch.zeros(2, 3)[..., None]
    cut = generative._unended(held, 2)
    assert cut["input_ids"].tolist() == [[5, 6], [0, 7]] and cut["attention_mask"].tolist() == [[1, 1], [0, 1]]
    assert cut["pixel_values"].shape == (2, 3, 1)
    assert generative._unended(held, 3)["input_ids"].shape == (2, 3)


def test_only_what_a_tokenizer_puts_behind_every_text_is_its_end():
    assert generative._ending(published.bert()) == published.bert().sep_token_id
    assert generative._ending(published.words(start=True)) is None


def test_a_template_that_begins_the_text_is_not_begun_again(opened):
    vlm = opened("gemma3")
    template = vlm.processor.chat_template
    try:
        for said in (template, "<s>" + template):
            vlm.processor.chat_template = said
            inputs = vlm.family.asked(vlm.model, vlm.processor, [Image.new("RGB", (9, 9))], ["is there a boat"])
            assert (inputs["input_ids"] == vlm.processor.tokenizer.bos_token_id).sum() == 1
    finally:
        vlm.processor.chat_template = template


def test_only_what_the_model_takes_is_given_to_it():
    model = torch.nn.Linear(2, 2).to(torch.bfloat16)
    held = accepted(model, model.forward, {"input": torch.zeros(1, 2), "rows": torch.zeros(1), "names": ["a"]})
    assert list(held) == ["input"] and held["input"].dtype == torch.bfloat16


def test_a_chat_template_is_used_where_there_is_one(opened):
    vlm = opened("llava")
    inputs = vlm.family.asked(vlm.model, vlm.processor, [Image.new("RGB", (9, 9))], ["is there a boat"])
    said = vlm.processor.tokenizer.decode(inputs["input_ids"][0]).replace("<image>", "")
    assert said == f"<s>User: is there a boat\n{generative.SHORT}<end>\nAssistant:"
