"""Count the attempts and hints for each exercise, save them next to the notebook, and read the course's settings."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any, Dict, Optional

# the teacher's settings, where there are any
COURSE = "course.json"
# the variable in which Jupyter's server tells a kernel the path of its notebook
NOTEBOOK = "JPY_SESSION_NAME"
ALL_HINTS = 99


class Progress:
    """The attempts and hints of each exercise; kept in a file once ``keep`` was called.

    Attributes:
        exercises: by name: how many attempts, whether the last one was right or skipped, its message, how many hints.
        hints: how many hints there are for an exercise, at most.
        skipping: whether an exercise can be skipped.
    """

    def __init__(self) -> None:
        self.path: Optional[Path] = None
        self.exercises: Dict[str, Dict[str, Any]] = {}
        self.hints = ALL_HINTS
        self.skipping = True

    def keep(self, path: str) -> None:
        """Read what was kept in a file, if it is there, and the course's settings, and keep everything from now on.

        Where Jupyter tells the name of the notebook, the file's name begins with it: notebooks that lie in one folder
        have a file each. Until version 3.1 they shared one, with which such a file begins.

        Raises:
            ValueError: the file of the course's settings is not JSON.
        """
        self.path = Path(path)
        notebook = Path(os.environ.get(NOTEBOOK, ""))
        if notebook.suffix == ".ipynb":
            self.path = self.path.with_name(f"{notebook.stem}.{self.path.name}")
        kept = self.path if self.path.is_file() else Path(path)
        self.exercises = {}
        # where there is none yet, or it is damaged, this starts from zero
        with contextlib.suppress(OSError, ValueError, TypeError):
            self.exercises = dict(json.loads(kept.read_text(encoding="utf-8")))
        course = settings(self.path.with_name(COURSE))
        self.hints = course.get("hints", ALL_HINTS)
        self.skipping = course.get("skip", True)

    def of(self, name: str) -> Dict[str, Any]:
        """Return what is known of an exercise."""
        nothing = {
            "attempts": 0,
            "right": False,
            "skipped": False,
            "message": "",
            "named": False,
            "hints": 0,
        }
        return {**nothing, **self.exercises.get(name, {})}

    def note(self, name: str, **changes: Any) -> None:
        """Change what is known of an exercise."""
        self.exercises[name] = {**self.of(name), **changes}
        if self.path is None:
            return
        text = json.dumps(self.exercises, indent=1, ensure_ascii=False) + "\n"
        partial = self.path.with_suffix(".partial")
        # in a folder that cannot be written, the checks still say what they find
        with contextlib.suppress(OSError):
            partial.write_text(text, encoding="utf-8")
            os.replace(str(partial), str(self.path))


def settings(path: Path) -> Dict[str, Any]:
    """Read the settings of a course: "hints", "skip" and "begun", and "points" by exercise. No file means none.

    Raises:
        ValueError: it is not JSON.
    """
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(f'{path} should be a JSON object, such as {{"hints": 0}}: {error}')


progress = Progress()
