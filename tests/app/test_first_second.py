"""What the dashboard imports before anything is shown does not load PyTorch, which takes seconds."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIRST = (
    "app.warmup",
    "app.engine.permits",
    "app.engine.guard",
    "app.parts.sidebar",
    "app.parts.guide",
    "app.parts.notes",
    "app.parts.presenter",
    "app.parts.welcome",
    "app.parts.ui",
    "app.parts.theme",
)


def test_the_first_page_needs_no_torch():
    code = f"import sys, {', '.join(FIRST)}; print(*({{'torch', 'transformers'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not done.stdout.split()


def test_it_is_all_that_the_dashboard_imports():
    """The list above is that of dashboard.py and main.py."""
    imported = {
        line.split(" import ")[0].removeprefix("from ")
        for file in ("dashboard.py", "main.py")
        for line in (ROOT / "app" / file).read_text().splitlines()
        if line.startswith("from app")
    }
    assert imported == {"app", "app.app_pages", "app.engine", "app.engine.guard", "app.parts"}
