"""Annotation files of the field: COCO's captions, Karpathy's splits, VQAv2, GQA."""

import pytest

from multiflow_core.data import dataset
from multiflow_core.data.annotations import split_of

from ..made import put, read, write


def coco(**changed) -> dict:
    images = [
        {"id": 7, "file_name": "COCO_val2014_000000000007.jpg"},
        {"id": 9, "file_name": "COCO_val2014_000000000009.jpg"},
    ]
    said = [(9, "a dog"), (7, "a cat"), (9, "one dog ")]
    annotations = [{"id": i, "image_id": image, "caption": text} for i, (image, text) in enumerate(said)]
    return {"info": {"year": 2014}, "images": images, "licenses": [], "annotations": annotations, **changed}


@pytest.fixture
def pictures(tmp_path):
    put(tmp_path, *(f"val2014/COCO_val2014_{number:012}.jpg" for number in (7, 9)))
    return tmp_path


def items(path) -> dict:
    album = dataset.open(str(path))
    return {item.name: item for split in ("train", "val", "test") for item in album.items(split, 99)}


@pytest.mark.parametrize("order", [list, reversed])
@pytest.mark.parametrize("given", ["", "annotations/captions_val2014.json"])
def test_coco_captions(pictures, given, order):
    held = dict(order(list(coco().items())))
    write(pictures / "annotations/captions_val2014.json", held)
    write(
        pictures / "annotations/instances_val2014.json",
        coco(annotations=[{"image_id": 7, "bbox": [], "category_id": 3}]),
    )
    rows, bad = read(pictures / given, "coco")
    assert len(rows) == 5 and bad == [] and {row.split for row in rows} == {"val"}
    found = items(pictures / given)
    assert {name: item.captions for name, item in found.items()} == {
        "COCO_val2014_000000000007.jpg": ("a cat",),
        "COCO_val2014_000000000009.jpg": ("a dog", "one dog"),
    }


def test_bad_rows_of_coco(pictures):
    held = coco()
    held["images"] += [{"id": 1, "file_name": "missing.jpg"}, {"id": 2}, 5]
    held["annotations"] += [
        {"image_id": 1, "caption": "x"},
        {"image_id": 7, "caption": " "},
        {"caption": "x"},
        {"image_id": 77, "caption": "y"},
    ]
    write(pictures / "captions.json", held)
    _, bad = read(pictures, "coco")
    assert bad == [
        "captions.json, image 3: missing.jpg is missing",
        "captions.json, image 4: it has no 'file_name'",
        "captions.json, image 5: it is no object of COCO's",
        "captions.json, annotation 5: it is empty",
        "captions.json, annotation 6: it has no 'image_id'",
    ]
    album = dataset.open(str(pictures))
    assert album.found.pictures == 2 and album.found.captions == 3 and album.found.bad == 7
    assert [str(row) for row in album.bad()][-2:] == [
        "captions.json, annotation 4: it is about a picture that is not there",
        "captions.json, annotation 7: it is about a picture that is not there",
    ]


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (
            coco(annotations=[{"image_id": 7, "bbox": [1], "category_id": 3}]),
            r"has objects \(COCO's instances\), no captions",
        ),
        (coco(annotations=[]), "is not COCO's: it has no 'annotations'"),
        ({"annotations": coco()["annotations"]}, "is not COCO's: it has no 'images'"),
        ({"images": "none", "annotations": 3}, "none of the JSON files that are known"),
    ],
)
def test_a_file_that_is_not_cocos(pictures, held, said):
    with pytest.raises(ValueError, match=said):
        dataset.open(str(write(pictures / "mine.json", held)))


def test_karpathys_splits(tmp_path):
    put(tmp_path, "val2014/a.jpg", "train2014/b.jpg", "val2014/c.jpg")
    images = [
        {
            "filepath": "val2014",
            "filename": "a.jpg",
            "split": "test",
            "sentences": [{"raw": "a cat."}, {"raw": "one cat"}],
        },
        {"filepath": "train2014", "filename": "b.jpg", "split": "restval", "sentences": [{"raw": "a dog"}]},
        {"filepath": "val2014", "filename": "c.jpg", "split": "val", "sentences": [{"raw": "a cow"}]},
        {"filepath": "val2014", "filename": "d.jpg", "split": "val", "sentences": [{"raw": "a pig"}]},
        {"filepath": "val2014", "filename": "c.jpg", "split": "test", "sentences": [{"raw": "a calf"}]},
        {"filename": "c.jpg", "split": "val", "sentences": []},
        {"split": "val"},
    ]
    write(tmp_path / "dataset_coco.json", {"images": images, "dataset": "coco"})
    rows, bad = read(tmp_path, "karpathy")
    assert [row.split for row in rows] == ["test", "restval", "val", "test"]
    assert bad == [
        "dataset_coco.json, image 4: val2014/d.jpg is missing",
        "dataset_coco.json, image 6: it has no sentences",
        "dataset_coco.json, image 7: it has no 'filename'",
    ]
    album = dataset.open(str(tmp_path))
    assert "dataset_coco.json, image 5: it is in the split test here, and in val above" in map(str, album.bad())
    names = {split: [item.name for item in album.items(split, 9)] for split in ("train", "val", "test")}
    assert names == {"train": ["b.jpg"], "val": ["c.jpg"], "test": ["a.jpg"]}
    assert album.exam("test", 9, 9, 9).texts == ("a cat.", "one cat")
    assert [text for _, text in album.pairs(9, 0, 16)] == ["a dog"]


def vqa(folder, answered: bool = True):
    put(folder, "val2014/COCO_val2014_000000000007.jpg", "val2014/COCO_val2014_000000000042.jpg")
    asked = [(70, 7, "How many cats?"), (420, 42, "What is it?"), (71, 7, "Is it red?")]
    questions = [{"question_id": q, "image_id": image, "question": text} for q, image, text in asked]
    write(folder / "v2_OpenEnded_mscoco_val2014_questions.json", {"data_subtype": "val2014", "questions": questions})
    said = {71: ["no"] * 9 + ["yes"], 70: ["two"] * 10, 420: ["cow"] * 4 + ["a cow"] * 6}  # in another order
    answers = [
        {
            "question_id": q, "image_id": q // 10, "question_type": "x", "answer_type": "number" if q == 70 else "other",
            "multiple_choice_answer": "cow" if q == 420 else said[q][0],
            "answers": [{"answer": text, "answer_confidence": "yes", "answer_id": i} for i, text in enumerate(said[q], 1)],
        }
        for q in said
    ]  # fmt: skip
    if answered:
        write(folder / "v2_mscoco_val2014_annotations.json", {"data_subtype": "val2014", "annotations": answers})
    return said


@pytest.mark.parametrize(
    "given", ["", "v2_OpenEnded_mscoco_val2014_questions.json", "v2_mscoco_val2014_annotations.json"]
)
def test_questions_of_vqa_with_their_ten_answers(tmp_path, given):
    said = vqa(tmp_path)
    assert read(tmp_path / given, "vqa")[1] == []
    found = items(tmp_path / given)
    first, second = (found[f"COCO_val2014_{number:012}.jpg"].questions for number in (7, 42))
    assert [(q.text, q.answer, q.type, q.answers) for q in first] == [
        ("How many cats?", "two", "number", tuple(said[70])),
        ("Is it red?", "no", "other", tuple(said[71])),
    ]
    assert [(q.text, q.answer, len(q.answers)) for q in second] == [("What is it?", "cow", 10)]


def test_questions_without_answers_are_there_and_not_measured(tmp_path):
    vqa(tmp_path, answered=False)
    found = items(tmp_path)
    assert sorted(q.text for item in found.values() for q in item.questions) == [
        "How many cats?",
        "Is it red?",
        "What is it?",
    ]
    album = dataset.open(str(tmp_path))
    assert not [q.answer for item in found.values() for q in item.questions if q.answer] and album.found.questions == 3


def test_bad_rows_of_vqa(tmp_path):
    vqa(tmp_path)
    file = tmp_path / "v2_OpenEnded_mscoco_val2014_questions.json"
    write(
        file,
        {
            "questions": [
                {"question_id": 1, "image_id": 5, "question": "x"},
                {"question_id": 70, "image_id": 7, "question": "How?"},
                {"question_id": 3},
            ]
        },
    )
    _, bad = read(tmp_path, "vqa")
    assert bad[0].endswith("question 1: COCO_val2014_000000000005.jpg is missing") and bad[1].endswith(
        "it has no 'image_id'"
    )
    album = dataset.open(str(tmp_path))
    assert album.found.questions == 1 and album.found.pictures == 1
    assert any("question val 71: it is answered, and asked nowhere" in str(row) for row in album.bad())


def test_answers_alone_are_one_sentence(tmp_path):
    vqa(tmp_path)
    (tmp_path / "v2_OpenEnded_mscoco_val2014_questions.json").unlink()
    with pytest.raises(ValueError, match="the file of their questions has to lie beside it"):
        dataset.open(str(tmp_path / "v2_mscoco_val2014_annotations.json"))


def test_questions_of_gqa(tmp_path):
    put(tmp_path, "images/2405722.jpg")
    held = {
        "05515938": {
            "imageId": "2405722",
            "question": "Is it red?",
            "answer": "yes",
            "types": {"structural": "verify"},
        },
        "05515939": {"imageId": "2405722", "question": "What is it?", "answer": "cow"},
        "05515940": {"imageId": "1", "question": "What is it?", "answer": "cow"},
        "05515941": {"question": "What?"},
    }
    write(tmp_path / "val_balanced_questions.json", held)
    rows, bad = read(tmp_path, "gqa")
    assert [(q.text, q.answer, q.type) for row in rows for q in row.questions] == [
        ("Is it red?", "yes", "verify"),
        ("What is it?", "cow", ""),
    ]
    assert {row.split for row in rows} == {"val"}
    assert bad == [
        "val_balanced_questions.json, question 05515940: 1 is missing",
        "val_balanced_questions.json, question 05515941: it has no 'question' or no 'imageId'",
    ]


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("captions_train2017.json", "train"), ("v2_OpenEnded_mscoco_test-dev2015_questions.json", "test"), ("contest.json", ""),
        ("valley.json", ""), ("cc3m-train-0001.tar", "train"), ("validation.json", "val"), ("testing.json", "test"),
    ],
)  # fmt: skip
def test_the_split_that_a_name_says(name, split):
    assert split_of(name) == split
