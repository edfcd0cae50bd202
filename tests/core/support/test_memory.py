"""Memory: the smaller of what the machine and its control group have left, and a sentence before it is too little."""

from pathlib import Path

import pytest

from multiflow_core.support import memory

GROUP = "/sys/fs/cgroup/memory."
SYSTEM = {"/proc/meminfo": "MemTotal: 9000 kB\nMemAvailable:    5000 kB\nBuffers: 1 kB\n"}
LIMITED = {
    f"{GROUP}current": "3072000\n",
    f"{GROUP}max": "4096000\n",
    f"{GROUP}stat": "anon 1\ninactive_file 1024000\n",
}


@pytest.fixture
def files(monkeypatch):
    """files({path: text}) are all that can be read."""

    def only(held: dict[str, str]) -> None:
        def read(path, *options, **more):
            if str(path) not in held:
                raise FileNotFoundError(path)
            return held[str(path)]

        monkeypatch.setattr(Path, "read_text", read)

    return only


@pytest.mark.parametrize(
    ("held", "free"),
    [
        (SYSTEM, 5_120_000),
        (SYSTEM | LIMITED, 2_048_000),  # max - current, and what was only read
        (SYSTEM | LIMITED | {f"{GROUP}max": "max\n"}, 5_120_000),  # a group without a limit
        (SYSTEM | LIMITED | {f"{GROUP}max": "40960000"}, 5_120_000),  # more than the machine has
        (LIMITED, 2_048_000),
        ({"/proc/meminfo": "MemTotal: 9000 kB"}, None),
        ({}, None),
    ],
)
def test_what_is_free(files, held, free):
    files(held)
    assert memory.available_memory() == free


def test_too_little_is_a_sentence_with_both_figures(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 2_000_000_000)
    memory.check_memory(2_000_000_000, "it", "less")
    with pytest.raises(ValueError, match=r"^it, 2.5 GB with what it works on, but only 2 GB are free: take less$"):
        memory.check_memory(2_500_000_000, "it", "take less")
    monkeypatch.setattr(memory, "available_memory", lambda: None)
    memory.check_memory(1 << 60, "it", "less")  # where nobody knows, nothing is refused


def test_what_this_process_takes(files):
    files({"/proc/self/status": "Name: x\nVmHWM:\t 2048 kB\nVmRSS:\t 1024 kB\n"})
    assert memory.process_memory("VmRSS") == 1 << 20 and memory.process_memory("VmHWM") == 2 << 20
    assert memory.process_memory("VmNone") is None
    files({})
    assert memory.process_memory("VmRSS") is None
