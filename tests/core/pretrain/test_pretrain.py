"""Training: batches are always the same, and an interrupted run ends with the same weights as one that was not."""

import os

import pytest
import torch

from multiflow_core.data import flatland
from multiflow_core.pretrain import batches, checks, loop
from multiflow_core.pretrain.asking import questions
from multiflow_core.pretrain.batches import CAPTION_LENGTHS, CLS, DEC, PAD, SEP, VOCABULARY, differing, make_batch
from multiflow_core.pretrain.built_in import BUILT_INS
from multiflow_core.pretrain.looking import COLOR, KIND, OF_PATCH, patch_labels, picture_labels
from multiflow_core.pretrain.loop import Progress
from multiflow_core.pretrain.objectives import fold_texts, found
from multiflow_core.pretrain.placing import placed
from multiflow_core.pretrain.recipe import STAGES, Recipe
from multiflow_core.support.lanes import Lanes

SHORT = Recipe(
    looking=1, wording=1, joint=2, fading=1, batch=4, warmup=2, check_every=1, patience=9, precision="float32"
)
WORD = {number: word for word, number in VOCABULARY.items()}


def words(ids: torch.Tensor) -> str:
    """A row of token ids as text."""
    return " ".join(WORD[i] for i in ids.tolist()[1:] if i not in (PAD, SEP))


def scenes_of(recipe: Recipe, step: int, monkeypatch) -> tuple[dict, list[flatland.Scene]]:
    """A batch and the scenes that it was made from."""
    seen: list = []
    said = batches._said
    monkeypatch.setattr(batches, "_said", lambda scenes, *rest: seen.extend(scenes) or said(scenes, *rest))
    return make_batch(recipe, step), seen


# --- batches --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", range(4))
def test_batches_are_reproducible_and_never_repeat_a_scene(step):
    a, b = make_batch(SHORT, step), make_batch(SHORT, step)
    assert all(torch.equal(a[key].nan_to_num(9), b[key].nan_to_num(9)) for key in a)
    if SHORT.stage(step) != "wording":
        assert not torch.equal(a["pixel_values"], make_batch(SHORT, 4)["pixel_values"])


def test_pictures_alone_come_without_texts_and_sentences_alone_without_pictures():
    assert {"pixel_values", "patches"} <= set(make_batch(SHORT, 0)) and "captions" not in make_batch(SHORT, 0)
    assert {"captions", "short"} <= set(make_batch(SHORT, 1)) and "pixel_values" not in make_batch(SHORT, 1)


@pytest.mark.parametrize("step", [2, 3])
def test_of_two_texts_the_first_is_true_and_the_second_false(step, monkeypatch):
    batch, scenes = scenes_of(Recipe(looking=1, wording=1, joint=3, batch=16), step, monkeypatch)
    assert batch["captions"].shape[2] == CAPTION_LENGTHS[step == 3]
    for i, scene in enumerate(scenes):
        for texts in (batch["captions"][i], batch["short"][i]):
            assert [flatland.judge(words(ids), scene).true for ids in texts] == [True, False] * (len(texts) // 2)


def test_the_truth_matrix_is_what_the_judge_says(monkeypatch):
    batch, scenes = scenes_of(SHORT, 2, monkeypatch)
    texts = [*batch["captions"][:, 0], *batch["short"].flatten(0, 1)]
    assert batch["truths"].tolist() == [[flatland.judge(words(ids), s).true for s in scenes] for ids in texts]


def test_questions_have_the_answers_of_their_scenes(monkeypatch):
    batch, scenes = scenes_of(Recipe(looking=1, wording=1, batch=16), 2, monkeypatch)
    asked = [words(ids) for ids in batch["questions"].flatten(0, 1)]
    for i, (text, (start, answer, end)) in enumerate(zip(asked, batch["answers"].tolist())):
        assert (start, end) == (DEC, SEP)
        assert flatland.answer(text, scenes[i // batches.QUESTIONS]) == WORD[answer], text


def test_every_type_is_asked_and_yes_is_as_frequent_as_no():
    import random

    rng = random.Random(0)
    asked = [q for i in range(400) for q in questions(flatland.scene("train", i), 4, 10, rng)]
    types = {q.type for q in asked}
    assert types == {"color", "kind", "size", "count", "setting", "place", "exists", "relation"}
    assert min(sum(q.type == kind for q in asked) for kind in types) > len(asked) / 16
    for kind in ("exists", "relation"):
        said = [q.answer for q in asked if q.type == kind]
        assert 0.4 < said.count("yes") / len(said) < 0.6


def test_all_texts_end_within_their_length():
    batch = make_batch(Recipe(looking=0, wording=0, batch=32), 3)
    for name in ("captions", "short", "questions"):
        ids = batch[name].flatten(0, 1)
        lengths = (ids != PAD).sum(1)
        assert (ids.gather(1, lengths[:, None] - 1) == SEP).all()


def test_labels_by_hand():
    # a picture has 6 x 6 patches with centres at 1/12, 3/12, ...; this cat covers 0.375 .. 0.625 of each side
    scene = flatland.Scene("day", (flatland.Thing("cat", "blue", "small", 0.5, 0.5),))
    labels = [dict(zip(OF_PATCH, patch)) for patch in patch_labels(scene)]
    assert [i for i, patch in enumerate(labels) if patch["kind"] >= 0] == [14, 15, 20, 21]
    assert labels[14] == {"kind": KIND["cat"], "color": COLOR["blue"], "size": 0, "x": 6, "y": 6, "alike": 0}
    setting, more, pairs = picture_labels(scene)
    assert (setting, more, [i for i, there in enumerate(pairs) if there]) == (0, 0, [KIND["cat"] * 10 + COLOR["blue"]])


def test_things_that_look_alike_are_counted_at_each_of_their_patches():
    cats = tuple(flatland.Thing("cat", "blue", "small", x, 0.5) for x in (0.25, 0.75))
    alike = [patch[-1] for patch in patch_labels(flatland.Scene("day", cats)) if patch[0] >= 0]
    assert set(alike) == {1}


def test_the_words_that_make_a_text_false_are_marked():
    """Of every pair only the second has any, and with the first's words in their place it would be as long as before."""
    batch = make_batch(SHORT, 2)
    for texts, wrong in ((batch["short"], batch["short wrong"]), (batch["captions"], batch["captions wrong"])):
        wrong = wrong.unflatten(0, texts.shape[:2])
        assert not wrong[:, ::2].any() and bool((wrong[:, 1::2].sum(-1) > 0).all())
        assert not wrong[texts == PAD].any() and not wrong[texts == CLS].any() and not wrong[texts == SEP].any()
    true, false, wrong = (
        batch["short"][:, ::2],
        batch["short"][:, 1::2],
        batch["short wrong"].unflatten(0, (-1, 6))[:, 1::2],
    )
    alike = (true != PAD).sum(-1) == (false != PAD).sum(-1)
    held = (true == false) | (wrong == 1)
    assert bool(held[alike].all()) and bool(alike.any())


@pytest.mark.parametrize(
    ("true", "false", "words"),
    [
        ("a red cat", "a blue cat", ["blue"]),
        ("a red cat", "an orange cat", ["an", "orange"]),
        ("a cat at night", "a cat in the snow", ["in", "the", "snow"]),
        ("a cat and a cat", "a cat and a dog", ["dog"]),
        ("no cats", "cats", ["cats"]),
    ],
)
def test_what_differs_between_two_texts(true, false, words):
    found = differing(true, false)
    assert false.split()[found.start : found.stop] == words


CAT, DOG = (flatland.Thing(kind, "red", "small", x, y) for kind, x, y in (("cat", 0.25, 0.5), ("dog", 0.75, 0.25)))
BIRDS = tuple(flatland.Thing("bird", "blue", "small", x, 1.0) for x in (0.0, 0.5))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a cat", {"cat": (-1, 0)}),  # 4 times the way from the middle
        ("a thing", {}),  # which?
        ("a bird", {}),
        ("two birds", {"birds": (-1, 2)}),
        ("no dogs", {"dogs": (1, -1)}),  # the false text of a scene with one
        ("no stars", {}),
        ("is the cat left of the dog", {"cat": (-1, 0), "dog": (1, -1), "left": (-1.25, 0.625), "of": (-1.25, 0.625)}),
        ("what is above the cat", {"cat": (-1, 0), "above": (1.25, -0.625)}),
        ("what is right of the cat", {"cat": (-1, 0)}),
        ("what is left of the dog", {"dog": (1, -1)}),  # three things are
        ("two birds below a dog at night", {"birds": (-1, 2), "dog": (1, -1), "below": (-1.25, 1.875)}),
        ("a bird below a dog", {"dog": (1, -1)}),
    ],
)
def test_where_the_things_are_that_a_text_names(text, told):
    scene = flatland.Scene("night", (CAT, DOG, *BIRDS))
    found = placed(text, scene, 12)
    given = {word: row[~row.isnan()].tolist() for word, row in zip(text.split(), found[1:]) if not row.isnan().all()}
    assert given == {word: pytest.approx(place) for word, place in told.items()}
    assert found[1 + len(text.split()) :].isnan().all()


# --- losses ---------------------------------------------------------------------------------------------------------


def test_a_text_that_is_true_of_two_pictures_should_find_both():
    """By hand: of three pictures two are true, and one of these is e times as likely as the others."""
    likely, true = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[True, False, True]])
    total = torch.tensor(torch.e + 2).log()
    assert found(likely, true).item() == pytest.approx((total - 0.5).item())


@pytest.mark.parametrize("name", [model.name for model in BUILT_INS.all()])
def test_texts_that_share_an_image_are_read_like_texts_with_an_image_each(name):
    torch.manual_seed(0)
    net = BUILT_INS.get(name).new().eval()
    batch = make_batch(SHORT, 2)
    with torch.no_grad():
        image = net.image_states(batch["pixel_values"])
        shared = net.fused(image, batch["short"].flatten(0, 1))
        texts = batch["short"].shape[1]
        apart = net.fused(image.repeat_interleave(texts, 0), batch["short"].flatten(0, 1))
    assert torch.allclose(shared, apart, atol=1e-5) and shared.std() > 0


def test_folding_keeps_what_each_text_reads():
    class Reader(torch.nn.Module):
        def forward(self, states, mask, image):
            return states + image.mean(1, keepdim=True), None

    reader = Reader()
    fold_texts(reader)
    states, image = torch.zeros(4, 2, 1), torch.tensor([[[1.0]], [[5.0]]])
    assert reader(states, None, image)[0].flatten().tolist() == [1, 1, 1, 1, 5, 5, 5, 5]


@pytest.mark.parametrize("threads", [1, 3])
def test_lanes_add_gradients_in_one_order(threads):
    x, unused = torch.tensor([2.0], requires_grad=True), torch.tensor([1.0], requires_grad=True)
    losses = [lambda n=n: ((n * x**2).sum(), {f"loss {n}": n * x.sum()}) for n in (1, 2, 3)]
    (gradient, nothing), figures = Lanes(threads, "float32").backward(losses, [x, unused])
    assert gradient.tolist() == [24.0] and nothing is None
    assert {name: value.item() for name, value in figures.items()} == {"loss 1": 2, "loss 2": 4, "loss 3": 6}


# --- schedule -------------------------------------------------------------------------------------------------------


def test_stages_follow_one_another():
    recipe = Recipe(looking=2, wording=1, joint=3, fading=2)
    stages = [recipe.stage(step) for step in range(recipe.steps)]
    assert stages == ["looking"] * 2 + ["wording"] + ["joint"] * 3 + ["fading"] * 2
    assert [stages.index(stage) for stage in STAGES] == [recipe.begins(stage) for stage in STAGES]
    with pytest.raises(ValueError, match="8 steps"):
        recipe.stage(8)


def test_learning_rate_warms_up_in_every_stage_is_level_and_falls_to_zero():
    recipe = Recipe(warmup=100, fading=50, learning_rate=1.0, joint_rate=0.5)
    assert (recipe.rate("looking", 0), recipe.rate("joint", 0)) == (pytest.approx(0.01), pytest.approx(0.005))
    assert recipe.rate("wording", 100) == 1.0
    assert recipe.rate("joint", 100) == recipe.rate("joint", 5000) == recipe.rate("fading", 0) == 0.5
    assert recipe.rate("fading", 49) == pytest.approx(0.01)


def test_validation_that_stands_still_ends_the_joint_stage():
    recipe = Recipe(looking=10, wording=10, joint=1000, patience=2)
    progress = Progress(recipe, step=80)
    for mean, stalled in ((0.5, False), (0.7, False), (0.7, False), (0.69, True)):
        progress.checks.append({"mean": mean})
        assert progress.stalls() == stalled
    progress.finish()
    assert progress.recipe.joint == 60 and progress.recipe.stage(80) == "fading"


# --- whole runs -----------------------------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch):
    """Validation that takes no time."""
    monkeypatch.setattr(loop, "check", lambda net: {"mean": 0.5})


def same(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


@pytest.mark.parametrize("name", [model.name for model in BUILT_INS.all()])
def test_an_interrupted_run_ends_with_the_same_weights(name, tmp_path, monkeypatch, quick):
    whole = loop.train(name, SHORT, tmp_path / "whole", save_every=2)
    step, calls = loop.train_step, []

    def interrupted(*arguments):
        calls.append(0)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return step(*arguments)

    monkeypatch.setattr(loop, "train_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        loop.train(name, SHORT, tmp_path / "parts", save_every=2)
    monkeypatch.setattr(loop, "train_step", step)
    resumed = loop.train(name, SHORT, tmp_path / "parts", save_every=2)
    assert same(whole.net, resumed.net)


def test_on_a_gpu_products_sum_in_one_order_and_afterwards_as_before(monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")  # somebody's own choice stays
    for device, exact in (("cpu", False), ("cuda", True)):
        with loop.repeatable(device):
            assert torch.are_deterministic_algorithms_enabled() is exact and torch.get_num_threads() == 1
        assert not torch.are_deterministic_algorithms_enabled()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


def test_a_device_that_is_not_there_is_told_in_a_sentence(tmp_path, monkeypatch, capsys):
    folders = ["--work", str(tmp_path / "work"), "--out", str(tmp_path / "out")]
    monkeypatch.setattr("sys.argv", ["pretrain", "flatland-xvlm", *folders, "--device", "cuda"])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit):
        loop.main()
    assert "There is no device 'cuda' here: choose cpu" in capsys.readouterr().err and not any(tmp_path.iterdir())


def test_batches_made_ahead_by_another_process_give_the_same_weights(tmp_path, quick):
    here = loop.train("flatland-xvlm", SHORT, tmp_path / "here")
    there = loop.train("flatland-xvlm", SHORT, tmp_path / "there", workers=1)
    assert same(here.net, there.net)


def test_a_run_that_is_asked_to_finish_is_one_with_a_shorter_recipe(tmp_path, monkeypatch, quick):
    """What is written down of it gives the same weights again."""
    step, calls = loop.train_step, []

    def stopped(*arguments):
        calls.append(0)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return step(*arguments)

    monkeypatch.setattr(loop, "train_step", stopped)
    with pytest.raises(KeyboardInterrupt):
        loop.train("flatland-xvlm", SHORT, tmp_path / "early", save_every=1)
    monkeypatch.setattr(loop, "train_step", step)
    early = loop.train("flatland-xvlm", SHORT, tmp_path / "early", finish=True)
    assert early.progress.recipe.joint == 1
    assert same(early.net, loop.train("flatland-xvlm", early.progress.recipe, tmp_path / "again").net)


def test_validation_judges_by_what_models_are_measured_by(monkeypatch):
    """An untrained model, on a few scenes: every figure is a share, and those from embeddings alone do not count."""
    for name, few in (("SCENES", 12), ("CAPTIONED", 2), ("ASKED", 2)):
        monkeypatch.setattr(checks, name, few)
    torch.manual_seed(0)
    net = BUILT_INS.get("flatland-blip").new()
    figures = checks.check(net)
    assert net.training and all(0 <= value <= 1 for value in figures.values())
    counted = [value for name, value in figures.items() if name != "mean" and "alone" not in name]
    assert {"IR@1", "thing", "two", "count", "none", "precision", "complete", "vqa color", "thing alone"} <= set(
        figures
    )
    assert figures["mean"] == pytest.approx(sum(counted) / len(counted))
