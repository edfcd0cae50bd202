"""The benchmark of large models, on a small one."""

from benchmarks import large
from multiflow_core.pruning import nested_order


def test_a_llava_is_made_ranked_masked_and_written(tmp_path, monkeypatch):
    monkeypatch.setattr(nested_order, "SNAPSHOT_LIMIT", 0)
    folder = large.make(tmp_path / "llava", layers=1, wide=128)
    found = large.measure(folder, "omp")
    text = 4 * 128 * 128 + 3 * 128 * 352  # attention and feed-forward of the only layer
    vision = 8 * (4 * 64 * 64 + 2 * 64 * 256)
    assert found["weights"] == text + vision
    assert large.row("omp", found).count("|") == 8
