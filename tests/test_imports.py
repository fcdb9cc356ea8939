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


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_extractor_names_torch_and_only_cli_names_click(path: Path) -> None:
    if part(path) != "extractor":
        assert not imported(path) & {"torch", "transformers"}
    if part(path) != "cli":
        assert not imported(path) & {"click", "tqdm", "prompt_toolkit"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_cli_prints_or_exits(path: Path) -> None:
    if part(path) == "cli":
        return
    calls = [
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    assert not set(calls) & {"print", "input", "exit", "sys.exit", "os._exit", "sys.stdout.write"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_library_module_imports_the_command_line(path: Path) -> None:
    if part(path) in ("cli", "__main__"):
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [name for name in modules if name and name.startswith("wordvec.cli")]


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


def test_the_query_engine_never_meets_torch() -> None:
    assert not loaded_by("import wordvec.query, wordvec.norms, wordvec.opening") & {
        "torch",
        "transformers",
        "faiss",  # only when a block of questions is asked
    }


@pytest.mark.parametrize("name", sorted(set(wordvec.__all__) - {"__version__"}))
def test_public_names_are_loaded_when_they_are_first_used(name: str) -> None:
    assert getattr(wordvec, name).__name__ == name
    assert name in dir(wordvec)


def test_type_checkers_are_told_of_the_public_names_and_of_no_other() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    [told] = [node for node in tree.body if isinstance(node, ast.If)]
    names = {
        alias.name for node in told.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert names == set(wordvec.__all__) - {"__version__"}


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'wordvec' has no attribute 'nothing'"):
        _ = wordvec.nothing
