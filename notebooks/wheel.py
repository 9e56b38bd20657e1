"""Puts the lessons into the wheel, as `dreamkit/course/`: called by hatchling when it builds one.

Without their outputs, which would double the size of the wheel: whoever has it runs them.
"""

import json
import shutil
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):
    """Adds the lessons and the stand-alone DeepDream to what is packed."""

    def initialize(self, version: str, build_data: dict) -> None:
        """Writes the lessons into a folder of its own, and names them to hatchling."""
        self.folder = None
        if version == "editable":  # the lessons are found beside the package
            return
        self.folder = Path(tempfile.mkdtemp())
        notebooks = Path(self.root) / "notebooks"
        for lesson in sorted(notebooks.glob("[0-9][0-9]*_*.ipynb")):
            (self.folder / lesson.name).write_text(_without_outputs(lesson), encoding="utf-8")
        shutil.copy(notebooks / "deepdream.py", self.folder)
        for path in self.folder.iterdir():
            build_data["force_include"][str(path)] = f"dreamkit/course/{path.name}"

    def finalize(self, version: str, build_data: dict, artifact_path: str) -> None:
        """Removes the folder."""
        if self.folder is not None:
            shutil.rmtree(self.folder)


def _without_outputs(lesson: Path) -> str:
    notebook = json.loads(lesson.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
