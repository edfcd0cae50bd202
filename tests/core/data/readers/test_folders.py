"""Folders: of pictures, with texts beside them, one for every class; below train, val and test."""

import pytest

from multiflow_core.data import dataset

from ..made import picture, put, read, write


def test_a_folder_and_the_folders_in_it(tmp_path):
    put(tmp_path, "b.png", "a.JPG", "more/c.png")
    write(tmp_path / "notes.md", "text")
    write(tmp_path / ".hidden.png", picture())
    rows, bad = read(tmp_path, "folder")
    assert [(row.name, row.split, row.label) for row in rows] == [
        ("a.JPG", "", ""),
        ("b.png", "", ""),
        ("more/c.png", "", ""),
    ]
    assert bad == [] and dataset.open(str(tmp_path)).found.pictures == 3


def test_folders_of_splits(tmp_path):
    put(tmp_path, "train/a.png", "test/b.png")
    rows, _ = read(tmp_path, "folder")
    assert [(row.name, row.split) for row in rows] == [("test/b.png", "test"), ("train/a.png", "train")]
    assert not dataset.open(str(tmp_path)).found.divided


@pytest.mark.parametrize("held", [{}, {"notes.txt": "no picture here"}])
def test_a_folder_without_pictures_is_one_sentence(tmp_path, held):
    for name, text in held.items():
        write(tmp_path / name, text)
    with pytest.raises(ValueError, match="holds no pictures, and no file that says something of some"):
        dataset.open(str(tmp_path))


def test_a_circle_of_links_ends(tmp_path):
    put(tmp_path, "a.png")
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    rows, _ = read(tmp_path, "folder")
    assert 1 <= len(rows) < 20


def test_texts_beside_pictures(tmp_path):
    put(tmp_path, "a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg")
    write(tmp_path / "a.txt", "\ufeffa cat\r\n\r\n one  cat \n")
    write(tmp_path / "b.txt", "\n")
    write(tmp_path / "d.txt", b"\xff\xfe\xff")
    write(tmp_path / "e.txt", "image")
    rows, bad = read(tmp_path, "sidecars")
    assert [(row.name, row.captions) for row in rows] == [("a.jpg", ("a cat", "one cat")), ("e.jpg", ("image",))]
    assert bad == [
        "b.jpg: b.txt is empty",
        "c.jpg: c.txt is missing",
        "d.jpg: d.txt cannot be read (it is not encoded as UTF-8)",
    ]


def test_a_folder_for_every_class(tmp_path):
    put(tmp_path, "great_owl/1.png", "great_owl/2.png", "cat/1.png", first=5)
    rows, bad = read(tmp_path, "classes")
    assert [(row.name, row.label) for row in rows] == [
        ("cat/1.png", "cat"),
        ("great_owl/1.png", "great owl"),
        ("great_owl/2.png", "great owl"),
    ]
    assert bad == [] and dataset.open(str(tmp_path)).classes == ("cat", "great owl")


def test_classes_below_splits(tmp_path):
    put(tmp_path, "train/cat/1.png", "train/owl/2.png", "val/cat/3.png", "val/owl/4.png")
    rows, _ = read(tmp_path, "classes")
    assert [(row.split, row.label) for row in rows] == [
        ("train", "cat"),
        ("train", "owl"),
        ("val", "cat"),
        ("val", "owl"),
    ]
    exam = dataset.open(str(tmp_path)).exam("test", 10, 10, 10)
    assert exam.split == "val" and exam.classes == ("cat", "owl") and sorted(exam.labels) == [0, 1]
    assert (exam.texts, exam.asked, exam.captioned) == ((), (), 0)
    assert [exam.classes[label] for label in exam.labels] == [item.label for item in exam.items]


def test_classes_that_go_by_numbers_are_named_in_a_file(tmp_path):
    put(tmp_path, "n1/1.png", "n2/2.png", "n3/3.png", "n_4/4.png")
    write(
        tmp_path / "LOC_synset_mapping.txt",
        "n1 tench, Tinca tinca\r\nn2\tcrane, bird\nn3 crane, machine\nn9 none here\n\nodd\n",
    )
    rows, bad = read(tmp_path, "classes")
    assert [row.label for row in rows] == ["tench", "crane, bird", "crane, machine", "n 4"] and bad == []
