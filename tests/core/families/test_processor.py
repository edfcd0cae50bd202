"""A processor is read as it was saved: what is missing is an error that names the file and the field, never a default."""

import json

import pytest

import multiflow_core as mf


def change(folder, **fields):
    file = folder / "processor_config.json"
    held = json.loads(file.read_text())
    for name, value in fields.items():
        held["image_processor"].pop(name)
        held["image_processor"] |= {} if value is None else {name: value}
    file.write_text(json.dumps(held))


def refused(folder) -> str:
    with pytest.raises(ValueError, match=str(folder)) as caught:
        mf.load(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_whole_is_read(folder):
    processor = mf.load(folder).processor
    assert len(processor.tokenizer) == 476 and processor.image_processor.image_std[0] == pytest.approx(0.2686, abs=1e-4)


@pytest.mark.parametrize("dangling", [False, True])
def test_without_its_words_a_model_is_not_loaded_with_five_of_them(folder, dangling):
    (folder / "tokenizer.json").unlink()
    if dangling:
        (folder / "tokenizer.json").symlink_to(folder / "gone.json")
    assert "holds no tokenizer.json" in refused(folder)


@pytest.mark.parametrize("field", ["image_mean", "image_std"])
def test_a_field_that_is_missing_is_named_with_its_file(folder, field):
    change(folder, **{field: None})
    said = refused(folder)
    assert field in said and "processor_config.json" in said


@pytest.mark.parametrize("value", [[0, 0, 0], [0.2, -1, 0.2], "0.5", [], [float("nan")] * 3, [True] * 3, {"a": 1}])
def test_what_pictures_cannot_be_divided_by_is_refused(folder, value):
    change(folder, image_std=value)
    assert "image_std" in refused(folder)


def test_pictures_that_are_not_normalised_need_no_norms(folder):
    change(folder, do_normalize=False, image_mean=None, image_std=None)
    assert mf.load(folder).tasks == ("retrieval",)


@pytest.mark.parametrize("text", ["", "[]", "3", '{"image_processor": 3}', "[" * 100_000, "\ud800"])
def test_no_description_of_a_processor(folder, text):
    (folder / "processor_config.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert "processor_config.json" in refused(folder) or "processor" in refused(folder)


def test_no_processor_at_all(folder):
    (folder / "processor_config.json").unlink()
    assert "processor_config.json" in refused(folder)
