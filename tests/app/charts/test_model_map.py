"""The picture of the whole model: towers, what is left of every matrix, and the lines of the signal, by hand."""

import pytest

from app.charts import DARK, LIGHT
from app.charts.model_map import WIDTH, Block, Matrix, ModelMap, Tower
from app.facts import layer_sparsity
from multiflow_core.experiments.run import Run


def matrix(role: str, size: int, pruned: int) -> Matrix:
    return Matrix(role, size, pruned, f"{role} {size}")


SEEING = Tower(
    "vision",
    "vision",
    (Block("vision 0", (matrix("qkv", 10, 5), matrix("fc1", 30, 15))), Block("vision 1", (matrix("qkv", 8, 6),))),
)
READING = Tower(
    "text",
    "text",
    (
        Block("text 0", (matrix("query", 4, 1), matrix("cross query", 16, 4)), crosses=True),
        Block("text 1", (matrix("query", 20, 20),)),
    ),
)
MAP = ModelMap("OMP", (SEEING, READING), "qkv 8")


def test_title_names_the_thinnest_and_the_thickest_block():
    assert MAP.title() == "The whole model: OMP leaves between 0 % (text 1) and 75 % (text 0) of a block"
    even = ModelMap("OMP", (Tower("vision", "vision", SEEING.blocks[:1]),))
    assert even.title() == "The whole model: OMP leaves 50 % of every block"
    whole = ModelMap("OMP", (Tower("vision", "vision", (Block("vision 0", (matrix("qkv", 10, 0),)),)),))
    assert whole.title() == "The whole model: nothing is pruned yet"
    assert "1 blocks read the picture" in MAP.describe()


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_strips_are_as_long_as_what_is_left(palette):
    whole, left, clicks = MAP.figure(palette).data
    assert [x / WIDTH for x in left.x] == pytest.approx([0.5, 0.5, 0.25, 0.75, 0.75, 0.0])
    assert list(left.base) == list(whole.base) == [0, 0, 1, 0, 0, 1]
    assert list(left.y) == [0.5, 1.5, 0.5, 5.5, 6.5, 5.5]
    assert set(left.marker.color) == {palette.of("vision"), palette.of("text")}
    assert list(clicks.customdata) == ["qkv 10", "fc1 30", "qkv 8", "query 4", "cross query 16", "query 20"]


def test_the_signal_is_as_wide_as_what_is_left_and_leads_from_the_picture_to_what_reads_it():
    shapes = MAP.figure(LIGHT).layout.shapes
    frame, lines = [s for s in shapes if s.type == "rect"], [s for s in shapes if s.type == "line"]
    assert len(frame) == 1 and frame[0].x0 == pytest.approx(0.98)
    passing = [line for line in lines if line.y0 == line.y1 and line.x1 - line.x0 == pytest.approx(1 - WIDTH)]
    assert [line.line.width for line in passing] == pytest.approx([1.7, 0.85, 2.55, 0.3])
    down = [line for line in lines if line.x0 == line.x1 == pytest.approx(WIDTH / 2)]
    assert len(down) == 1 and down[0].line.color == LIGHT.of("vision") and down[0].y1 == 5.0


def test_a_model_of_one_tower_or_without_a_picture_has_no_line_to_what_reads_it():
    alone = ModelMap("OMP", (READING,)).figure(LIGHT).layout.shapes
    assert all(shape.y0 == shape.y1 for shape in alone)


def test_the_table_holds_every_matrix_once():
    table = MAP.table()
    assert table["weight"] == ["qkv", "fc1", "qkv", "query", "cross query", "query"]
    assert table["left"] == pytest.approx([0.5, 0.5, 0.25, 0.75, 0.75, 0.0])


def test_the_built_in_models_have_their_towers():
    facts = layer_sparsity.of(Run("flatland-blip", "omp", 0.63))
    drawn = layer_sparsity.model_map(facts)
    assert [(tower.name, tower.modality, len(tower.blocks)) for tower in drawn.towers] == [
        ("vision", "vision", 6),
        ("text", "text", 4),
        ("decoder", "text", 4),
    ]
    assert [all(block.crosses for block in tower.blocks) for tower in drawn.towers] == [False, True, True]
    assert sum(m.pruned for t in drawn.towers for b in t.blocks for m in b.matrices) == facts.pruned
    fused = layer_sparsity.model_map(layer_sparsity.of(Run("flatland-xvlm", "omp", 0.63)))
    assert fused.towers[0].modality == "vision" and any(tower.modality == "fusion" for tower in fused.towers)
