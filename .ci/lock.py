"""Pin everything that the README's two commands install: `make lock`.

Writes `constraints.txt`, the version of every package, and `hashes.txt` and `hashes-dev.txt`, the checksums of those that are
the same file on every machine (compiled ones are not, and of torch there are local builds).
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAME_EVERYWHERE = "py3-none-any.whl"  # of any Python 3, too


def resolved(requirements: str) -> list[tuple[str, str, str | None]]:
    """(name, version without its local part, checksum where every machine gets the same file) of all that is installed."""
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.json"
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--dry-run",
            "--ignore-installed",
            "--quiet",
            "--report",
            str(report),
        ]
        subprocess.run([*command, "-r", str(ROOT / requirements)], check=True)
        installed = json.loads(report.read_text())["install"]
    found = []
    for entry in installed:
        file, meta = entry["download_info"], entry["metadata"]
        same = file["url"].endswith(SAME_EVERYWHERE)
        checksum = file["archive_info"]["hashes"]["sha256"] if same else None
        found.append((meta["name"].lower().replace("_", "-"), meta["version"].partition("+")[0], checksum))
    return sorted(found)


def main() -> None:
    app, everything = resolved("requirements.txt"), resolved("requirements-dev.txt")
    head = "# written by `make lock`\n"
    pins = "".join(f"{name}=={version}\n" for name, version, _ in everything)
    (ROOT / "constraints.txt").write_text(head + pins)
    for file, held in (("hashes.txt", app), ("hashes-dev.txt", [one for one in everything if one not in app])):
        lines = (f"{name}=={version} --hash=sha256:{checksum}\n" for name, version, checksum in held if checksum)
        (ROOT / file).write_text(head + "".join(lines))


if __name__ == "__main__":
    main()
