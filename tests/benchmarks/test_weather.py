"""The short form of `python -m benchmarks.weather`: a few inputs of each kind, a few kills, a few seconds of ten sessions."""

import pytest

from benchmarks.weather import disk as small_disk
from benchmarks.weather.disk import disk
from benchmarks.weather.fuzz import fuzz
from benchmarks.weather.kills import kills
from benchmarks.weather.soak import soak

NAME = 22  # letters of the first column of the fuzz


@pytest.mark.parametrize("seed", [1, 2])
def test_no_damaged_file_and_no_strange_address_does_harm(seed):
    head, *lines, peak = fuzz(280, seed)
    assert head[NAME:].split() == ["inputs", "refused", "tracebacks", "different", "slow"] and len(lines) == 14
    for line in lines:
        inputs, _, *harm = line[NAME:].split()[:5]
        assert (inputs, harm) == ("20", ["0", "0", "0"]), line
    assert float(peak.split()[1]) < 1000


def test_what_is_killed_is_finished_or_untouched_and_done_again_alike():
    rows = [row.split() for row in list(kills(1, seed=1, names=("export", "pretrain")))[1:]]
    assert [(row[0], row[2:]) for row in rows] == [("export", ["0", "0"]), ("pretrain", ["0", "0"])]


@pytest.mark.parametrize("mounting", [True, False])
def test_a_full_disk_is_one_sentence_and_leaves_nothing_half(mounting, monkeypatch):
    """Where nothing may be mounted there is only the limit on the size of files; both ways say what went wrong."""
    if not mounting:
        monkeypatch.setattr(small_disk, "_mounted", refused)
    rows = [row.split(maxsplit=5) for row in list(disk([32], ["export"]))[1:]]
    assert [row[1] for row in rows] == ["32k", "read-only"]
    for row in rows if mounting and "not tried" not in " ".join(rows[1]) else rows[:1]:
        assert row[2:5] == ["1", "1", "0"] and row[5].startswith("multiflow_core:"), row


def refused(*_):
    raise PermissionError


def test_ten_sessions_get_right_answers():
    said = list(soak(0.2, seed=1))
    assert any(line.startswith("0 of ") and line.endswith(" visits failed") for line in said), said
    checks = [line.split() for line in said if "direct computation" in line or "quiet server" in line]
    assert len(checks) == 2 and all(row[0] == row[2] for row in checks) and checks[1][2] != "0", said
