"""The Compare page's charts say what the result file says."""

import copy
import json

import pytest

from app.charts import DARK, LIGHT
from app.facts import comparison
from tests.app.charts.test_charts import bare


def run(method, sparsity, value, seed=0, blend=(None, None), vision=0.5):
    return {
        "method": method,
        "sparsity": sparsity,
        "seed": seed,
        "criterion": blend[0],
        "allocation": blend[1],
        "scores": {"retrieval": {"IR@1": value}, "captioning": {"true": value / 2}, "vqa": {"all": value}},
        "modalities": {"vision": vision, "text": 2 * sparsity - vision},
    }


RAW = {
    "dense": {"retrieval": {"IR@1": 0.9}, "captioning": {"true": 0.8}, "vqa": {"all": 0.7}},
    "runs": [
        run("multiflow", 0.5, 0.8), run("multiflow", 0.75, 0.4),
        run("omp", 0.5, 0.85, vision=0.9), run("omp", 0.75, 0.1, vision=0.9),
        run("random", 0.5, 0.2, seed=0), run("random", 0.5, 0.4, seed=1), run("random", 0.75, 0.0),
        run("multiflow", 0.5, 0.3, blend=("flow", "global")), run("multiflow", 0.5, 0.8, blend=("flow", "multimodal")),
        run("multiflow", 0.5, 0.4, blend=("magnitude", "global")),
        run("multiflow", 0.5, 0.7, blend=("magnitude", "multimodal")),
    ],
    "costs": [
        {"method": "omp", "sparsity": 0.63, "seconds": 1.5, "memory": 3 << 20},
        {"method": "multiflow", "sparsity": 0.63, "seconds": 3.0, "memory": 6 << 20},
    ],
    "overlap": [{"sparsity": 0.5, "methods": ["multiflow", "omp"], "iou": [[1.0, 0.6], [0.6, 1.0]]}],
}  # fmt: skip
TITLES = {"multiflow": "MULTIFLOW", "omp": "OMP", "random": "Random"}


@pytest.fixture
def data(tmp_path, monkeypatch):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "toy.json").write_text(json.dumps(RAW))
    monkeypatch.setenv("MULTIFLOW_ASSETS", str(tmp_path))
    return comparison.load("toy", "", TITLES)


def test_lines_average_seeds_and_leave_ablations_out(data):
    chart = comparison.lines(data, "retrieval", ["random", "multiflow"], "multiflow", 0.55)
    assert dict(chart.lines)["Random"][0] == (0.5, pytest.approx(0.3), 0.2, 0.4)
    assert [p[1] for p in dict(chart.lines)["MULTIFLOW"]] == [0.8, 0.4]
    figure = chart.figure(LIGHT)
    own = next(t for t in figure.data if t.name == "MULTIFLOW")
    assert list(own.x) == [0, 50, 75]
    assert list(own.y) == pytest.approx([90, 80, 40])
    assert own.line.color == LIGHT.pruned
    assert "Of the methods shown, MULTIFLOW keeps most at 50 %" in chart.title()  # OMP, which keeps more, has no line


def test_bars_span_the_intervals_that_the_file_holds(tmp_path, monkeypatch):
    """Of one run its own; of several seeds from the lowest bound to the highest; where there are none, as without."""
    sure = copy.deepcopy(RAW)
    for entry, bounds in zip(sure["runs"], ([0.7, 0.9], None, None, None, [0.1, 0.3], [0.3, 0.5])):
        if bounds:
            entry["intervals"] = {"retrieval": {"IR@1": bounds}}
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "toy.json").write_text(json.dumps(sure))
    monkeypatch.setenv("MULTIFLOW_ASSETS", str(tmp_path))
    data = comparison.load("toy", "", TITLES)
    chart = comparison.lines(data, "retrieval", ["multiflow", "random"], "multiflow", 0.5)
    own, random = dict(chart.lines)["MULTIFLOW"], dict(chart.lines)["Random"]
    assert own == ((0.5, 0.8, 0.7, 0.9), (0.75, 0.4, 0.4, 0.4))
    assert random[0] == (0.5, pytest.approx(0.3), 0.1, 0.5)
    bars = next(trace for trace in chart.figure(LIGHT).data if trace.name == "MULTIFLOW").error_y
    assert list(bars.array) == pytest.approx([0, 10, 0]) and list(bars.arrayminus) == pytest.approx([0, 10, 0])
    assert data.sure
    assert comparison.lines(data, "vqa", ["multiflow"], "multiflow", 0.5).lines[0][1][0] == (0.5, 0.8, 0.8, 0.8)


def test_a_file_without_intervals_shows_none(data):
    chart = comparison.lines(data, "retrieval", ["multiflow"], "multiflow", 0.5)
    assert not data.sure and not chart.figure(LIGHT).data[0].error_y.visible


def test_captions_that_nobody_could_judge_are_shown_by_cider(tmp_path, monkeypatch):
    raw = {"dense": {"captioning": {"CIDEr-D": 1.3}}, "runs": [run("multiflow", 0.5, 0.5)]}
    raw["runs"][0]["scores"] = {"captioning": {"CIDEr-D": 1.1, "BLEU-4": 0.3}}
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "toy.json").write_text(json.dumps(raw))
    monkeypatch.setenv("MULTIFLOW_ASSETS", str(tmp_path))
    data = comparison.load("toy", "", TITLES)
    chart = comparison.lines(data, "captioning", ["multiflow"], "multiflow", 0.5)
    assert chart.unit == "CIDEr-D" and chart.dense == 1.3 and chart.figure(LIGHT).layout.yaxis.range[1] > 130
    assert comparison.leaderboard(data, "captioning", "multiflow", 0.5).values == ((1.1,),)


def test_the_leaderboard_shows_where_the_chosen_method_loses(data):
    chart = comparison.leaderboard(data, "retrieval", "multiflow", 0.5)
    assert chart.rows == ("OMP", "MULTIFLOW", "Random")
    assert chart.values[1] == (0.8, 0.4)
    assert "first at 1 of 2" in chart.title()
    figure = chart.figure(LIGHT)
    assert [bare(text) for text in figure.data[0].text[0]] == ["<b>85</b>", "10"]  # best of its column in bold
    lines = comparison.lines(data, "retrieval", data.methods, "multiflow", 0.5)
    assert lines.title() == "OMP keeps most at 50 %: 85 % right picture first; MULTIFLOW comes 2nd of 3"


def test_ties_are_told_and_go_to_nobody(tmp_path, monkeypatch):
    """As with few pictures: no method wins by its place in the file."""
    raw = copy.deepcopy(RAW)
    for entry, value in zip(raw["runs"], (0.2, 0.1, 0.25, 0.1, 0.1, 0.1, 0.0)):
        entry["scores"]["retrieval"]["IR@1"] = value
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "toy.json").write_text(json.dumps(raw))
    monkeypatch.setenv("MULTIFLOW_ASSETS", str(tmp_path))
    tied = comparison.load("toy", "", TITLES)
    titles = {m: comparison.leaderboard(tied, "retrieval", m, 0.5).title() for m in ("multiflow", "omp")}
    assert titles["multiflow"].endswith("MULTIFLOW is first at 1 of 2 sparsities, at 1 of them with others")
    assert titles["omp"].endswith("OMP is first at 2 of 2 sparsities, at 1 of them with others")
    lines = comparison.lines(tied, "retrieval", ["multiflow", "omp"], "omp", 0.75)
    assert lines.title().endswith("OMP keeps most at 75 %: 10 % right picture first, as does MULTIFLOW")


def test_densities_are_what_is_kept(data):
    chart = comparison.densities(data, "multiflow", 0.5)
    kept = {name: dict(zip(chart.rows, values, strict=True)) for name, values in chart.series}
    assert kept["vision"]["OMP"] == pytest.approx(10)
    assert kept["text"]["OMP"] == pytest.approx(90)
    assert chart.target == 50
    assert "OMP leaves 10 % of vision" in chart.title()
    assert [t.marker.color for t in chart.figure(DARK).data] == [DARK.modality["vision"], DARK.modality["text"]]


def test_overlap_and_costs(data):
    grid = comparison.overlap(data, "multiflow", 0.6)
    assert grid.values == ((1.0, 0.6), (0.6, 1.0))
    assert "agree least: 60 %" in grid.title()
    seconds, memory = comparison.costs(data, "multiflow")
    assert dict(zip(seconds.rows, seconds.series[0][1], strict=True))["OMP"] == 1.5
    assert dict(zip(memory.rows, memory.series[0][1], strict=True)) == {"OMP": 3.0, "MULTIFLOW": 6.0}
    assert seconds.title() == "MULTIFLOW took 2 times as long as OMP"
    assert seconds.figure(LIGHT).layout.xaxis.type == "log"


def test_ablation_names_the_best_blend_and_the_stronger_choice(data):
    grid = comparison.ablation(data, "retrieval", 0.5)
    assert (grid.rows, grid.columns) == (("flow", "magnitude"), ("global", "per modality"))
    assert grid.values == ((0.3, 0.8), (0.4, 0.7))
    # over allocations a criterion moves by 0.5 and 0.3, over criteria an allocation by 0.1 and 0.1
    assert grid.title() == "Of these 4, flow × per modality keeps most at 50 %; the allocation matters more"


def test_every_chart_has_words_a_table_and_a_small_payload(data):
    charts = [
        comparison.lines(data, "vqa", data.methods, "omp", 0.5), comparison.leaderboard(data, "vqa", "omp", 0.5),
        comparison.densities(data, "omp", 0.5), comparison.overlap(data, "omp", 0.5),
        *comparison.costs(data, "omp"), comparison.ablation(data, "vqa", 0.5),
    ]  # fmt: skip
    for chart in charts:
        assert len(chart.describe()) > 20
        assert len({len(column) for column in chart.table().values()}) == 1
        for palette in (LIGHT, DARK):
            figure = chart.figure(palette)
            assert figure.layout.template == palette.template
            assert figure.layout.xaxis.title.text
            assert len(figure.to_json()) < 500_000


@pytest.mark.parametrize("text", ["", "{}", '{"dense": {}, "runs": []}', '{"dense": 1, "runs": 2}'])
def test_a_file_that_is_none_is_nothing(tmp_path, monkeypatch, text):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "toy.json").write_text(text)
    monkeypatch.setenv("MULTIFLOW_ASSETS", str(tmp_path))
    assert comparison.load("toy", "", TITLES) is None
