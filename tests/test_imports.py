"""Who may import what: the rules that keep start-up fast and the parts apart."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import wordvec

PACKAGE = Path(wordvec.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = {"numpy", "faiss", "torch", "transformers", "tqdm", "plotly", "wcwidth"}


def imported(path: Path, *, at_top: bool = False) -> set[str]:
    """Name the top-level packages that a file imports (`at_top`: when it is itself imported)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if at_top:
        tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


# Imports go down only: a folder imports those on the lines below its own, and itself.
FLOORS: list[set[str]] = [
    {"__main__"},
    {"cli"},
    {"api"},
    {"table"},
    {"context"},
    {"map"},
    {"analysis"},
    {"formats", "extraction", "search"},
    {"tables"},
    {"models"},
    {"vocabulary", "expression"},
    {"encoding"},
    {"foreign"},
    {"errors"},
    {"text", "progress"},
]
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}


def module_of(path: Path) -> str:
    parts = ("wordvec", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


def own_imports(path: Path) -> set[str]:
    """Name the modules of wordvec that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = inner & MODULE_NAMES
            names |= modules or {node.module}
    return {name for name in names if name.startswith("wordvec.")}


MODULE_NAMES = {module_of(path) for path in MODULES}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down_only(path: Path) -> None:
    if path == PACKAGE / "__init__.py":  # the public names, imported lazily from anywhere
        return
    own = part(path)
    assert own in FLOOR, "every folder and file of the package has its place in FLOORS"
    for module in own_imports(path):
        other = module.split(".")[1]
        assert other == own or FLOOR[other] > FLOOR[own], f"{own} must not import {module}"


def test_there_is_no_circular_import() -> None:
    graph = {module_of(path): own_imports(path) & MODULE_NAMES for path in MODULES}
    graph["wordvec"] = set()
    done: set[str] = set()

    def visit(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, " → ".join((*above, module))
        if module not in done:
            for other in sorted(graph[module]):
                visit(other, (*above, module))
            done.add(module)

    for module in sorted(graph):
        visit(module, ())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_extraction_imports_torch_and_only_cli_imports_click(path: Path) -> None:
    if part(path) != "extraction":
        assert not imported(path) & {"torch", "transformers"}
    if part(path) != "cli":
        assert not imported(path) & {"click", "tqdm", "prompt_toolkit"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_cli_prints_or_exits(path: Path) -> None:
    if part(path) in ("cli", "__main__"):  # __main__ is the command before cli is loaded
        return
    calls = [
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    assert not set(calls) & {"print", "input", "exit", "sys.exit", "os._exit", "sys.stdout.write"}


FOLDERS = sorted(path.parent for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_folder_says_what_it_is_and_what_may_import_it(folder: Path) -> None:
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    assert text
    assert "import" in text.lower()


def loaded_by(code: str) -> set[str]:
    """Name the packages that a fresh Python has loaded after running `code`."""
    listing = "import sys; print(' '.join({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{listing}"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code", ["import wordvec", "import wordvec.cli", "import wordvec.cli.query, wordvec.cli.norms"]
)
def test_the_command_line_loads_nothing_heavy(code: str) -> None:
    assert not loaded_by(code) & HEAVY


def test_help_loads_click_alone() -> None:
    code = (
        "from wordvec.cli import group\n"
        "try: group.main(['--help'])\n"
        "except SystemExit as done: assert done.code == 0"
    )
    assert not loaded_by(code) & HEAVY
    assert not loaded_by(code.replace("['--help']", "['query', '--help']")) & HEAVY


def test_only_one_module_calls_faiss() -> None:
    """It turns the ids of −1 into empty places, for all callers."""
    callers = [path.name for path in MODULES if "faiss" in imported(path)]
    assert callers == ["nearest.py"]


def test_questions_do_not_load_torch() -> None:
    assert not loaded_by("import wordvec.analysis.query, wordvec.analysis.norms, wordvec.api") & {
        "torch",
        "transformers",
        "faiss",  # only when a block of questions is asked
    }


@pytest.mark.parametrize("name", sorted(set(wordvec.__all__) - {"__version__"}))
def test_public_names_are_loaded_when_they_are_first_used(name: str) -> None:
    assert getattr(wordvec, name).__name__ == name
    assert name in dir(wordvec)


def test_type_checkers_see_exactly_the_public_names() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    [told] = [node for node in tree.body if isinstance(node, ast.If)]
    names = {
        alias.name for node in told.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert names == set(wordvec.__all__) - {"__version__"}


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'wordvec' has no attribute 'nothing'"):
        _ = wordvec.nothing
