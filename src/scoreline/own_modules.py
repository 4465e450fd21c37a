"""The user's own Python files: importable by their stem in this process and in every worker, from memory.

One way of importing serves the driver, the workers and bundles that carry such files. Only the files that are named
can be imported: their folder is not searched, so a forgotten neighbour fails here as it would fail on a worker.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.util import find_spec, spec_from_loader
from pathlib import Path
from typing import TYPE_CHECKING

from scoreline.errors import Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_ADVICE = "give --module a Python file with a name of its own, such as my_steps.py"


@dataclass(frozen=True)
class OwnModule:
    """A Python file of the user: the name it is imported by, where it was, and its text."""

    name: str
    path: str
    source: bytes

    @property
    def sha256(self) -> str:
        """The hash of the text, as hexadecimal digits."""
        return hashlib.sha256(self.source).hexdigest()


def read_modules(paths: Sequence[Path]) -> tuple[OwnModule, ...]:
    """Read the files, importing nothing.

    Raises UsageError with all problems: a file that is missing or not Python, a stem that cannot be imported, two
    files of one stem.
    """
    problems = [problem for path in paths if (problem := _unusable(path))]
    stems = [path.stem for path in paths]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    problems += [Problem(f"two modules have the name '{stem}'", f"--module {stem}.py", _ADVICE) for stem in twice]
    if problems:
        raise UsageError(*problems)
    return tuple(OwnModule(path.stem, str(path.absolute()), path.read_bytes()) for path in paths)


def _unusable(path: Path) -> Problem | None:
    if not path.is_file():
        return Problem("there is no such file", f"--module {path}", "check the path; relative ones start here")
    if path.suffix != ".py" or not path.stem.isidentifier():
        return Problem("the file cannot be imported by its name", f"--module {path}", _ADVICE)
    return None


def import_modules(modules: Sequence[OwnModule]) -> tuple[ModuleType, ...]:
    """Import the modules, each under its own name; they may import one another.

    What is loaded already with the same text stays; another text replaces what an earlier call loaded. Raises
    UsageError for a name that belongs to an installed module, and for a module that fails while it is imported.
    """
    taken = [module for module in modules if not _is_ours(module.name) and _exists_elsewhere(module)]
    if taken:
        raise UsageError(*(Problem(f"'{m.name}' is the name of another module", m.path, _ADVICE) for m in taken))
    if any(_FINDER.modules.get(module.name, module).source != module.source for module in modules):
        # All of them: one that stays would hold on to the old text of another.
        forget_modules([module.name for module in modules])
    _FINDER.modules.update({module.name: module for module in modules})
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    return tuple(_imported(module) for module in modules)


def imported_files() -> tuple[str, ...]:
    """Where the modules were that this process imported."""
    return tuple(module.path for module in _FINDER.modules.values())


def texts_of(names: Sequence[str]) -> dict[str, bytes]:
    """The text of each of these modules that `import_modules` loaded, by name."""
    return {name: _FINDER.modules[name].source for name in filter(_is_ours, names)}


def forget_modules(names: Sequence[str]) -> None:
    """Undo `import_modules` for these names, as far as it loaded them."""
    for name in filter(_is_ours, names):
        sys.modules.pop(name, None)
        _FINDER.modules.pop(name, None)


class _Finder(MetaPathFinder):
    """Finds the modules that were given to `import_modules`."""

    def __init__(self) -> None:
        self.modules: dict[str, OwnModule] = {}

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        module = self.modules.get(fullname)
        return None if module is None else spec_from_loader(fullname, _Loader(module), origin=module.path)


class _Loader(SourceLoader):
    """Loads a module from its text; tracebacks name the user's file and show its lines."""

    def __init__(self, module: OwnModule) -> None:
        self.module = module

    def get_filename(self, fullname: str) -> str:
        return self.module.path

    def get_data(self, path: object) -> bytes:
        return self.module.source


_FINDER = _Finder()


def _is_ours(name: str) -> bool:
    return name in _FINDER.modules


def _exists_elsewhere(module: OwnModule) -> bool:
    """True when the name means another file; the same file, imported by the user's own script, is as good as ours."""
    if module.name == "__main__" or module.name in sys.builtin_module_names:
        return True
    spec = find_spec(module.name)
    return spec is not None and (spec.origin is None or Path(spec.origin).absolute() != Path(module.path))


def _imported(module: OwnModule) -> ModuleType:
    try:
        return import_module(module.name)
    except (Exception, SystemExit) as error:
        problem = Problem(
            f"the module '{module.name}' cannot be imported: {type(error).__name__}: {error}",
            module.path,
            f'try: python -c "import {module.name}" in its folder',
        )
        raise UsageError(problem) from error
