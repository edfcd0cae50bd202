"""The same cells, the same numbers: in this process, in a pool of processes, on two Dask workers of which one is lost."""

import os
import signal
import sys
import threading
import time
from types import ModuleType

import pytest

from multiflow_core.sweeps import work as working
from multiflow_core.sweeps.executors import dask, processes
from multiflow_core.sweeps.plan import read
from multiflow_core.sweeps.running import Sweeping
from multiflow_core.sweeps.store import Store
from multiflow_core.sweeps.work import Job, known, work


@pytest.fixture
def tiny_cells(sweep_file):
    return read(sweep_file).cells(known())


def figures(cells, folder) -> list:
    return [Store(folder).find(cell).figures for cell in cells]


def test_a_pool_a_cluster_and_a_lost_worker_give_the_same_numbers(tiny_cells, tmp_path, monkeypatch):
    from distributed import LocalCluster

    # Dask's processes run the program of their parent again, which is a page where one was tested before
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    here = [
        outcome.figures for cell in tiny_cells for _, outcome in work(Job((cell,)))
    ]  # each with an order of its own
    assert len(here) == 2 * 2 * 2 + 2 and any(scores for scores, *_ in here)

    Sweeping(tiny_cells, Store(tmp_path / "pool"), workers=2, report=lambda line: None).run()
    assert figures(tiny_cells, tmp_path / "pool") == here

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        victim = next(iter(cluster.workers.values())).process.pid
        sweeping = Sweeping(
            tiny_cells, Store(tmp_path / "dask"), scheduler=cluster.scheduler_address, report=lambda line: None
        )
        thread = threading.Thread(target=sweeping.run)
        thread.start()
        until = time.monotonic() + 60
        while not list((tmp_path / "dask").glob("cells/*.json")) and time.monotonic() < until:
            time.sleep(0.02)
        os.kill(victim, signal.SIGKILL)
        thread.join(timeout=120)
        assert not thread.is_alive()
    assert figures(tiny_cells, tmp_path / "dask") == here


def test_a_worker_with_another_model_or_other_versions_refuses(tiny_cells, monkeypatch):
    from dataclasses import replace

    with pytest.raises(ValueError, match="is another model on this worker"):
        work(Job((replace(tiny_cells[0], model_is="0123"),)))
    with pytest.raises(ValueError, match=r"this worker has .* and the sweep was asked with torch 1.0"):
        work(Job((replace(tiny_cells[0], versions={"torch": "1.0"}),)))


def test_workers_do_not_run_the_program_that_started_them(tmp_path, monkeypatch):
    page = ModuleType("__main__")
    page.__file__ = str(tmp_path / "page.py")
    (tmp_path / "page.py").write_text("raise SystemExit('a page was run')")
    monkeypatch.setitem(sys.modules, "__main__", page)
    with processes(1, 1) as executor:
        assert executor.submit(abs, -1).result() == 1


def test_masks_that_are_kept_give_the_same_figures(tiny_cells, tmp_path, monkeypatch):
    cell = next(cell for cell in tiny_cells if cell.run.method == "omp" and cell.task == "vqa")
    store = Store(tmp_path / "kept")
    job = Job((), (cell,), str(store.folder), store.token())
    assert work(job) == [] and store.masks_file(cell).is_file()
    ((_, made),) = work(Job((cell,)))
    monkeypatch.setattr(working, "order_of", lambda *more, **other: pytest.fail("made again"))
    ((_, found),) = work(Job((cell,), (), str(store.folder), store.token()))
    assert found.figures == made.figures and store.find(cell) == found


def test_what_updates_weights_is_kept_with_them(checkpoint, tmp_path, sweep_file):
    file = tmp_path / "solved.toml"
    file.write_text(sweep_file.read_text().replace('["omp", "random"]', '["sparsegpt"]'))
    cell = read(file).cells(known())[-1]
    store = Store(tmp_path / "kept")
    work(Job((), (cell,), str(store.folder), store.token()))
    bench = working._Bench(cell, store)
    masks, weights = bench.pruned(cell)
    fresh, solved = working._Bench(cell, None).pruned(cell)
    assert masks == fresh and weights.keys() == solved.keys()
    assert all(weights[name].equal(solved[name]) for name in solved)


def test_a_tuned_cell_is_the_same_twice_and_keeps_its_zeros(checkpoint, tmp_path, sweep_file):
    file = tmp_path / "tuned.toml"
    text = (
        sweep_file.read_text().replace('["omp", "random"]', '["omp"]').replace('["retrieval", "vqa"]', '["retrieval"]')
    )
    recipe = "recipe = {steps = 2, batch = 4, check_every = 1, checked = 4, pictures = 8}"
    file.write_text(f'{text}\n[[part]]\ntransfer = "fine-tuned"\n{recipe}\n')
    cell = read(file).cells(known())[-1]
    assert cell.tuned and cell.recipe["steps"] == 2 and cell.recipe["precision"] == "float32"
    store = Store(tmp_path / "kept")
    (_, first), (_, second) = work(Job((cell,))) + work(Job((cell,), (), str(store.folder), store.token()))
    assert first.figures == second.figures and store.find(cell) == second
    assert [point["step"] for point in second.curve if "figure" in point] == [0, 1, 2] and second.steps == 2
    assert second.achieved == pytest.approx(0.75, abs=1e-3) and not list((store.folder / "tuning").iterdir())


def test_a_recipe_is_checked_and_names_its_precision(sweep_file):
    text = sweep_file.read_text() + '\n[[part]]\ntransfer = "fine-tuned"\nrecipe = '
    for recipe, said in (('{precision = "measured"}', "float32 or bfloat16"), ("{step = 3}", "did you mean 'steps'")):
        sweep_file.write_text(text + recipe)
        with pytest.raises(ValueError, match=said):
            read(sweep_file).cells(known())


def test_no_scheduler_and_no_distributed_are_one_sentence(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match="pip install distributed"), dask("tcp://127.0.0.1:1", 1):
        pass
    monkeypatch.undo()
    with pytest.raises(ValueError, match="there is no Dask scheduler at nonsense://"), dask("nonsense://x", 1):
        pass
