"""The reader's folder: files of exercises begun, and a note of which hints were seen.

A desk is a plain folder with a plain Python file for each exercise, `exercises/` in the working directory unless another is named.
Nothing is hidden in it but `.learn.json`, which holds nothing worth keeping.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from cutaway.learn.exercises import EXERCISES, Exercise
from cutaway.learn.lessons import Lesson, Place

FOLDER: Final = "exercises"
PYTHON: Final = "uv run python" if "UV" in os.environ else "python"
"""How the reader calls Python, to be shown in commands worth typing: uv says that it is there."""
NOTES: Final = ".learn.json"


class DeskError(Exception):
    """Something about the reader's files is not as it should be; the text says what to do."""


class UnreadableError(Exception):
    """The reader's file cannot be imported; `lesson` says where."""

    def __init__(self, lesson: Lesson) -> None:
        super().__init__(lesson.remark)
        self.lesson = lesson


class Desk:
    """A folder of exercises."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def program(self) -> str:
        """How the program is called for this folder, to be shown in commands worth typing."""
        folder = "" if str(self.folder) == FOLDER else f" --folder {self.folder}"
        return f"{PYTHON} -m cutaway.learn{folder}"

    def path(self, exercise: Exercise) -> Path:
        """The reader's file of an exercise."""
        return self.folder / f"{exercise.module}.py"

    def begun(self) -> list[Exercise]:
        """The exercises whose file is there, the one that was changed last first."""
        there = [each for each in EXERCISES if self.path(each).is_file()]
        return sorted(there, key=lambda each: self.path(each).stat().st_mtime, reverse=True)

    def start(self, exercise: Exercise) -> Path:
        """Write the skeleton. Raises DeskError if the file is there."""
        path = self.path(exercise)
        if path.exists():
            raise DeskError(f"{path} is there already. To begin anew: {self.program} reset {exercise.name}")
        return self._write(path, exercise.skeleton)

    def reset(self, exercise: Exercise) -> tuple[Path, Path | None]:
        """Write the skeleton anew; what was there is kept beside it, and its new name returned too."""
        path = self.path(exercise)
        kept = None
        if path.exists():
            kept = next(name for name in self._old_names(path) if not name.exists())
            shutil.move(path, kept)
        self._note(exercise.name, 0)
        return self._write(path, exercise.skeleton), kept

    @staticmethod
    def _old_names(path: Path) -> Iterable[Path]:
        number = 1
        while True:
            yield path.with_suffix(f".old{number}.py")
            number += 1

    def _write(self, path: Path, text: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    # ---- hints and finds

    def next_hint(self, exercise: Exercise) -> tuple[int, str]:
        """The number of the next rung of the ladder, from 1, and its text; the last one again when all were seen."""
        number = min(self._notes().get(exercise.name, 0) + 1, len(exercise.hints))
        self._note(exercise.name, number)
        return number, exercise.hints[number - 1]

    def has_found(self, name: str) -> bool:
        """Whether a bug of the museum was found."""
        return name in self._notes()

    def note_found(self, name: str) -> None:
        """Note that a bug of the museum was found."""
        self._note(name, 1)

    def _notes(self) -> dict[str, int]:
        try:
            notes: dict[str, int] = json.loads((self.folder / NOTES).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return notes

    def _note(self, name: str, number: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / NOTES).write_text(json.dumps(self._notes() | {name: number}), encoding="utf-8")

    # ---- what the reader wrote

    def part(self, exercise: Exercise) -> tuple[Any, list[Callable[[], object]]]:
        """The class or function that the reader wrote, and the tests in its file. Raises DeskError, UnreadableError."""
        path = self.path(exercise)
        if not path.is_file():
            raise DeskError(f"{path} is not there. To begin: {self.program} start {exercise.name}")
        module = load(path)
        if not hasattr(module, exercise.attribute):
            raise DeskError(
                f"{path} has no {exercise.attribute}: that is the name that the exercise is checked by."
            )
        return getattr(module, exercise.attribute), own_tests(module)


def load(path: Path) -> ModuleType:
    """Import a file of the reader's, anew each time. Raises UnreadableError."""
    spec = importlib.util.spec_from_file_location(f"exercises_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise DeskError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look a class's module up there
    sys.path.insert(0, str(path.parent))
    try:
        source = compile(path.read_text(encoding="utf-8"), str(path), "exec")  # not by way of a cached .pyc
        exec(source, module.__dict__)  # noqa: S102 - it is the reader's own file, and this is an import
    except SyntaxError as error:
        text = (error.text or "").strip()
        remark = f"Python cannot read your file: {error.msg}"
        raise UnreadableError(
            Lesson(remark=remark, place=Place(str(path), error.lineno or 0, text))
        ) from None
    except Exception as error:  # noqa: BLE001 - whatever it is, it becomes a lesson
        place = next(
            (Place(str(path), frame.lineno or 0, frame.line or "")
             for frame in reversed(traceback.extract_tb(error.__traceback__)) if frame.filename == str(path)), None
        )  # fmt: skip
        remark = f"Importing your file raised {type(error).__name__}: {error}"
        raise UnreadableError(Lesson(remark=remark, place=place)) from None
    finally:
        sys.path.remove(str(path.parent))
    return module


def own_tests(module: ModuleType) -> list[Callable[[], object]]:
    """The functions of a module whose name begins with `test`, in the order of the file."""
    return [value for name, value in vars(module).items() if name.startswith("test") and callable(value)]
