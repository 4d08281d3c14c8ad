"""No module of the package imports another in a circle, type-checking imports included."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import lggkit

ROOT = Path(lggkit.__file__).parent


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_of(path): path for path in sorted(ROOT.rglob("*.py"))}


def imported(path: Path) -> set[str]:
    """The package's modules that a file imports at its top level, under ``if TYPE_CHECKING`` too."""
    modules = set()
    tree = ast.parse(path.read_text())
    inside = [node for block in tree.body if isinstance(block, ast.If) for node in block.body]
    for node in [*tree.body, *inside]:
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                modules.add(name if name in FILES else node.module)
    return modules & FILES.keys()


def circle(modules: dict[str, Path]) -> list[str]:
    """A circle among modules, or nothing."""
    graph = {name: imported(path) & modules.keys() for name, path in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_modules_import_one_another_in_one_direction():
    assert len(FILES) > 150 and circle(FILES) == []


def test_a_circle_is_found_also_where_it_is_for_types_only(tmp_path):
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("from lggkit.training.run import Run\n")
    two.write_text("if TYPE_CHECKING:\n    from lggkit.training.pace import Pace\n")
    modules = {"lggkit.training.pace": one, "lggkit.training.run": two}
    assert set(circle(modules)) == set(modules)
