"""What `pip install` puts where: both packages, the built-in models within one of them. All else stands in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ASSETS = "multiflow_core.assets"  # found there by multiflow_core/support/places.py


class WithSettings(build_py):
    """The settings of the server go beside the dashboard, where Streamlit looks for them, too."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            there = Path(self.build_lib) / "app" / ".streamlit"
            self.mkpath(str(there))
            self.copy_file(".streamlit/config.toml", str(there))


setup(
    packages=[*find_packages(include=["multiflow_core*", "app*"]), ASSETS],
    package_dir={ASSETS: "assets"},
    package_data={
        ASSETS: [f"**/*.{end}" for end in ("json", "jsonl", "md", "safetensors", "toml")],
        "app": ["*.png"],
        "app.parts": ["*.css", "*.js", "*.md"],
    },
    cmdclass={"build_py": WithSettings},
)
