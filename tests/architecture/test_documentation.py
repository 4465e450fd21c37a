import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType


def test_every_public_name_is_documented(sources: dict[Path, ast.Module]) -> None:
    modules = [import_module(_module_name(path)) for path in sources if path.name != "__main__.py"]
    assert [name for module in modules for name in _undocumented(module)] == []


def _module_name(path: Path) -> str:
    return ".".join(path.relative_to("src").with_suffix("").parts).removesuffix(".__init__")


def _undocumented(module: ModuleType) -> Iterator[str]:
    if not module.__doc__:
        yield module.__name__
    for name, value in vars(module).items():
        if _needs_words(name, value) and value.__module__ == module.__name__:
            if not value.__doc__:
                yield f"{module.__name__}.{name}"
            if isinstance(value, type):
                yield from _undocumented_methods(value)


def _undocumented_methods(owner: type) -> Iterator[str]:
    """Methods without a docstring of their own or of the base class that they fulfil."""
    for name, value in vars(owner).items():
        if _needs_words(name, value) and not inspect.getdoc(getattr(owner, name)):
            yield f"{owner.__module__}.{owner.__qualname__}.{name}"


def _needs_words(name: str, value: object) -> bool:
    spoken = inspect.isfunction(value) or inspect.isclass(value) or isinstance(value, property)
    return spoken and not name.startswith("_")
