"""Data sets of Hugging Face on disk: made with their own library, read through ours."""

import sys
from pathlib import Path

import datasets
import pytest
from PIL import Image

from multiflow_core.data import dataset
from multiflow_core.data.readers import huggingface

from ..made import picture, put, read


@pytest.fixture(autouse=True)
def answering(monkeypatch):
    """Nobody is asked over the network."""
    monkeypatch.setattr(huggingface, "reachable", lambda url: True)


def held(count: int, first: int = 0, **columns) -> datasets.Dataset:
    """So many pictures with a caption each, and further columns."""
    numbers = range(first, first + count)
    rows = {
        "image": [{"bytes": picture(i), "path": None} for i in numbers],
        "caption": [f"number {i}" for i in numbers],
        **columns,
    }
    return datasets.Dataset.from_dict(rows).cast_column("image", datasets.Image())


def test_splits_on_disk(tmp_path):
    datasets.DatasetDict({"train": held(3), "validation": held(2, 3)}).save_to_disk(tmp_path / "d")
    rows, bad = read(tmp_path / "d", "huggingface")
    assert [(row.name, row.captions, row.split) for row in rows] == [
        *((f"train/{i}", (f"number {i}",), "train") for i in range(3)),
        *((f"validation/{i}", (f"number {i + 3}",), "validation") for i in range(2)),
    ]
    assert bad == []
    album = dataset.open(str(tmp_path / "d"))
    exam = album.exam("test", 9, 9, 9)
    assert exam.split == "val" and sorted(exam.texts) == ["number 3", "number 4"]
    for item in exam.items:
        assert album.reader.read(item.source) == picture(int(item.captions[0][7:]))
    assert [image.size for image in exam.pictures(16)] == [(24, 16)] * 2
    assert sorted(text for _, text in album.pairs(9, 0, 16)) == ["number 0", "number 1", "number 2"]


def test_classes_questions_and_lists_of_captions(tmp_path):
    rows = {
        "img": [{"bytes": picture(i), "path": None} for i in range(4)],
        "label": [0, 1, 1, -1],
        "sentences": [[f"one {i}", f"two {i}"] for i in range(4)],
        "question": ["how many?"] * 4,
        "answers": [[{"answer": "two"}, {"answer": "two"}, {"answer": "2"}]] * 4,
        "image_id": [7] * 4,
    }
    made = datasets.Dataset.from_dict(rows).cast_column("img", datasets.Image())
    made.cast_column("label", datasets.ClassLabel(names=["cat", "owl"])).save_to_disk(tmp_path / "d")
    found, bad = read(tmp_path / "d", "huggingface")
    assert [row.label for row in found] == ["cat", "owl", "owl", ""] and bad == []
    assert found[1].captions == ("one 1", "two 1") and found[1].questions[0].answers == ("two", "two", "2")
    assert len({row.key for row in found}) == 4


def test_pictures_that_lie_elsewhere_and_bad_rows(tmp_path, monkeypatch):
    put(tmp_path, "a.png")
    rows = {
        "image": [
            {"bytes": None, "path": str(tmp_path / "a.png")},
            {"bytes": None, "path": str(tmp_path / "gone.png")},
            None,
        ]
        + [{"bytes": picture(i), "path": None} for i in (3, 4)],
        "caption": ["one", "two", "three", "", "five"],
    }
    features = datasets.Features(image=datasets.Image(), caption=datasets.Value("string"))
    monkeypatch.setattr(datasets, "load_dataset", lambda name: datasets.Dataset.from_dict(rows, features=features))
    huggingface._splits.cache_clear()
    found, bad = read(Path("somebody/pictures"), "huggingface")
    assert [row.captions for row in found] == [("one",), ("five",)]
    assert huggingface.read(found[0].picture) == (tmp_path / "a.png").read_bytes()
    assert bad == ["row 1: its picture is missing", "row 2: it holds no picture", "row 3: its caption is empty"]


def test_a_decoded_picture_is_kept_as_bytes(tmp_path):
    made = datasets.Dataset.from_dict(
        {"image": [Image.new("RGB", (8, 6), "red")], "text": ["red"]},
        features=datasets.Features(image=datasets.Image(), text=datasets.Value("string")),
    )
    made.save_to_disk(tmp_path / "d")
    (row,), _ = read(tmp_path / "d", "huggingface")
    assert huggingface.read(row.picture).startswith(b"\x89PNG") and row.picture.length == len(
        huggingface.read(row.picture)
    )


def test_texts_alone_are_one_sentence(tmp_path):
    datasets.Dataset.from_dict({"a": [1], "b": ["x"]}).save_to_disk(tmp_path / "d")
    with pytest.raises(ValueError, match="d has no column of pictures: its columns are a, b"):
        dataset.open(str(tmp_path / "d"))


def test_a_damaged_folder_is_one_sentence(tmp_path):
    held(3).save_to_disk(tmp_path / "d")
    (tmp_path / "d" / "state.json").write_text("{")
    with pytest.raises(ValueError, match="cannot be opened as a data set of Hugging Face") as problem:
        dataset.open(str(tmp_path / "d"))
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("own/name", "is no file or folder; to look it up on the hub, install"),
        ("disk", "is a data set of Hugging Face, install"),
    ],
)
def test_a_package_that_is_not_there_is_asked_for(tmp_path, monkeypatch, name, said):
    held(1).save_to_disk(tmp_path / "disk")
    monkeypatch.setitem(sys.modules, "datasets", None)
    huggingface._splits.cache_clear()
    with pytest.raises(ValueError, match=f"{said} .*pip install datasets"):
        dataset.open(str(tmp_path / name) if name == "disk" else name)


def test_a_name_of_the_hub_is_asked_for(monkeypatch):
    monkeypatch.setattr(
        datasets, "load_dataset", lambda name: datasets.DatasetDict({"train": held(2), "test": held(2, 2)})
    )
    huggingface._splits.cache_clear()
    album = dataset.open("somebody/pictures")
    assert album.path == album.name == "somebody/pictures"
    assert album.found.splits == {"test": 2, "train": 2} and album.title == "pictures" and album.found.captions == 4


def test_a_hub_that_does_not_answer_is_one_sentence(monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface, "reachable", lambda url: False)
    huggingface._splits.cache_clear()
    with pytest.raises(
        ConnectionError, match="no file or folder 'somebody/nothing', and https://.* cannot be reached"
    ) as problem:
        dataset.open("somebody/nothing")
    assert "\n" not in str(problem.value)


def test_a_hub_that_says_no_is_one_sentence(monkeypatch):
    huggingface._splits.cache_clear()

    def load(name):
        raise ConnectionError("Couldn't reach the Hub\nfor some reason")

    monkeypatch.setattr(datasets, "load_dataset", load)
    with pytest.raises(ValueError, match="somebody/nothing cannot be opened as .* reach the Hub") as problem:
        dataset.open("somebody/nothing")
    assert "\n" not in str(problem.value)
