"""What holds for every data set of the registry: items, pictures, texts, an exam, and pairs that it does not ask about."""

import pytest
from PIL.Image import Image

from multiflow_core.data import dataset
from multiflow_core.data.dataset import DATA_SETS, DataSet

each = pytest.mark.parametrize("data", DATA_SETS.all(), ids=lambda data: data.name)


@each
def test_it_is_found_by_its_name(data):
    assert dataset.open(data.name) is dataset.open(data) is data and data.title


def test_the_default_exists_and_an_unknown_name_is_told_what_there_is():
    assert dataset.open() is dataset.open(dataset.DEFAULT)
    with pytest.raises(ValueError, match="no data set is called 'flatlnd', did you mean 'flatland'"):
        dataset.open("flatlnd")


@each
def test_items_and_pictures_are_as_many_as_asked_for_and_the_first_ones(data):
    items = data.items("test", 6)
    assert len(items) == 6 and list(data.items("test", 3)) == list(items)[:3]
    pictures = data.pictures(items, 96)
    assert len(pictures) == 6 and all(isinstance(picture, Image) for picture in pictures)


@each
def test_an_exam_asks_what_it_says(data):
    exam = data.exam("test", 6, 4, 2)
    assert (exam.data, exam.split, exam.captioned) == (data, "test", 4)
    assert len(exam.items) == len(exam.texts) == len(exam.pictures(96)) == 6
    assert list(exam.items) == list(data.items("test", 6)) and len(set(exam.texts)) == 6
    assert {i for i, _ in exam.asked} <= {0, 1}
    assert all(question.text and question.answer and question.type for _, question in exam.asked)
    assert exam == data.exam("test", 6, 4, 2) and exam.texts != data.exam("test", 6, 4, 2, seed=1).texts


@each
def test_pairs_to_calibrate_with_depend_on_the_seed_alone(data):
    def bytes_of(pairs):
        return [(picture.tobytes(), text) for picture, text in pairs]

    pairs = data.pairs(8, 0, 96)
    assert len(pairs) == 8 and bytes_of(pairs) == bytes_of(data.pairs(8, 0, 96))
    other = bytes_of(data.pairs(8, 1, 96))
    assert not set(other) & set(bytes_of(pairs))
    asked = {picture.tobytes() for split in ("val", "test") for picture in data.pictures(data.items(split, 50), 96)}
    assert not asked & {picture for picture, _ in [*bytes_of(pairs), *other]}


def test_a_data_set_need_not_know_what_is_true():
    class Album(DataSet):
        name, title = "album", "Album"
        items = pictures = pairs = exam = lambda self, *asked: ()

    assert Album().judge(["a cat"], [None]) is None


def test_what_lacks_a_part_is_no_data_set():
    class Half(DataSet):
        name, title = "half", "Half"

    with pytest.raises(TypeError, match="exam, items, pairs, pictures|'exam', 'items', 'pairs'.* 'pictures'"):
        Half()
