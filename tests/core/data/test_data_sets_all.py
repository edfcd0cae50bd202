"""Claims that every registered data set must keep, also one added tomorrow."""

import pytest

from multiflow_core.data.dataset import DATA_SETS


@pytest.mark.parametrize("data", DATA_SETS.all(), ids=lambda data: data.name)
def test_claims(data):
    pairs = data.pairs(6, 0, 64)
    assert len(pairs) == 6 and all(image.size[0] > 0 and text.strip() for image, text in pairs)
    assert [text for _, text in data.pairs(6, 0, 64)] == [text for _, text in pairs]
    assert [text for _, text in data.pairs(6, 1, 64)] != [text for _, text in pairs]
    exam = data.exam("test", 5, 3, 2)
    assert exam.data is data and exam.split == "test"
    assert len(exam.items) == len(exam.texts) == len(set(exam.texts)) == len(exam.pictures(64)) == 5
    assert exam.captioned <= 3 and all(number < 2 for number, _ in exam.asked)
    assert not {text for _, text in pairs} & set(exam.texts), "calibrated with what is measured"
    verdicts = data.judge(exam.texts, exam.items)
    assert verdicts is None or all(verdict.true and verdict.understood for verdict in verdicts)
