"""What is said of speed is what was measured: here, else where the lab's figures were made; abilities only of the same widths."""

import pytest

from app.engine import checkpoints
from app.facts import speed
from multiflow_core.experiments.speed import Measured, Speeds, Timing

MACHINE = {"device": "cpu", "processor": "X 1", "threads": 2, "torch": "2.0"}


def one(name, pattern, seconds, by, width, scores=None, file=1000):
    timed = {"retrieval": {8: Timing(seconds, seconds, seconds)}}
    faster = {"retrieval": {8: Timing(by, by, by)}}
    return Measured(
        name,
        pattern,
        0.5,
        {"w": width},
        timed,
        faster,
        file,
        50,
        2_000_000 // (1 + (pattern != "dense")),
        10**9,
        scores or {},
    )


def told(*models, processor="X 1"):
    return Speeds("flatland-blip", MACHINE | {"processor": processor}, models)


SCORES = {"retrieval": {"IR@1": 0.9}}
SHIPPED = told(
    one("dense", "dense", 0.08, 1.0, 768, {"retrieval": {"IR@1": 1.0}}),
    one("2:4", "2:4", 0.08, 1.0, 768, {"retrieval": {"IR@1": 0.5}}),
    one("neurons, 50 %", "neurons", 0.04, 2.0, 384, SCORES, file=500),
    one("Torch-Pruning, Taylor, 50 %", "neurons", 0.04, 2.0, 384, {"retrieval": {"IR@1": 0.2}}),
)


@pytest.fixture
def files(assets, tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIFLOW_RESULTS", str(tmp_path / "own"))
    SHIPPED.save(checkpoints.speed_file("flatland-blip"))


def test_what_came_with_the_lab_says_where_it_is_from(files):
    found = speed.load("flatland-blip")
    assert not found.here and "the machine that made the lab's figures: X 1, cpu, 2 threads" in found.where
    assert [speed.kind(model) for model in found.speeds.models] == ["dense", "mask", "neurons", "peer"]
    assert (found.tasks, found.batches, found.asked) == (("retrieval",), (8,), ("retrieval",))


def test_what_was_timed_here_counts_and_knows_what_the_same_model_can_do(files):
    mine = told(
        one("dense", "dense", 0.2, 1.0, 768),
        one("neurons, 50 %", "neurons", 0.1, 1.8, 384),
        one("neurons, 25 %", "neurons", 0.1, 1.9, 192),
        processor="Mine",
    )
    mine.save(checkpoints.own_speed_file("flatland-blip"))
    found = speed.load("flatland-blip")
    assert found.here and "this machine: Mine" in found.where
    assert [dict(model.scores) for model in found.speeds.models] == [{"retrieval": {"IR@1": 1.0}}, SCORES, {}]
    other = told(one("dense", "dense", 0.2, 1.0, 768), one("neurons, 50 %", "neurons", 0.1, 1.8, 400))
    other.save(checkpoints.own_speed_file("flatland-blip"))
    assert not speed.load("flatland-blip").speeds.models[1].scores  # another width: another model


def test_nothing_is_said_where_nothing_was_measured(files):
    assert speed.load("flatland-xvlm") is None
    checkpoints.speed_file("flatland-blip").write_text("damaged")
    assert speed.load("flatland-blip") is None


def test_what_is_saved_by_hand(files):
    (sentence,) = speed.saved(speed.load("flatland-blip"), "retrieval", 8)
    assert sentence == (
        "**Neurons, 50 %**, 2.00 times as fast: 200 pictures in the time of 100, a file that is 50 % smaller and "
        "50 % less memory. It keeps 90 % right first (dense 100 %)."
    ).replace("right first", speed.trade(speed.load("flatland-blip"), "retrieval", 8, "retrieval").unit)


def test_the_table_marks_what_is_arithmetic(files):
    table = speed.table(speed.load("flatland-blip"), "retrieval", 8)
    assert table["ms a picture"] == [10.0, 10.0, 5.0, 5.0] and table["pictures a second"] == [
        100.0,
        100.0,
        200.0,
        200.0,
    ]
    assert table["billion multiply-adds (arithmetic)"] == [1.0] * 4
    assert len({len(column) for column in table.values()}) == 1
