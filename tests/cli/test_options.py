"""Options and arguments, which may start with a dash too."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import wordvec.cli
from wordvec.cli.arguments import split_arguments
from wordvec.cli.options import table_ref
from wordvec.errors import UsageError
from wordvec.tables.name import Mode, TableRef

MODULES = sorted(Path(wordvec.cli.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize(
    ("args", "options", "arguments"),
    [
        (["-王+女"], [], ["-王+女"]),
        (["-km+m"], [], ["-km+m"]),
        (["-王+king", "-k3"], ["-k3"], ["-王+king"]),
        (["--", "--女+王"], [], ["--女+王"]),
        (["--女+王"], [], ["--女+王"]),
        (["-k", "3", "王"], ["-k", "3"], ["王"]),
        (["-k", "-1"], ["-k", "-1"], []),
        (["--", "-x3", "-n"], [], ["-x3", "-n"]),
        (["-k3a"], [], ["-k3a"]),
        (["--unknown", "--also=王"], ["--unknown", "--also=王"], []),
        (["--unit", "王"], ["--unit"], ["王"]),
        (["-", "--", "-k3"], [], ["-", "-k3"]),
    ],
)
def test_options_and_arguments_are_separated(
    args: list[str], options: list[str], arguments: list[str]
) -> None:
    assert split_arguments(args, {"-k": True, "--unit": False}) == (options, arguments)


@pytest.mark.parametrize("option", ["-n", "-n5", "-x3", "-H"])
def test_a_short_option_that_is_not_known_is_wrong_usage(option: str) -> None:
    with pytest.raises(UsageError, match=f"^no such option: {option}$"):
        split_arguments(["王", option, "5"], {"-k": True, "-h": False})


def test_an_option_without_a_value_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="-k needs a value"):
        split_arguments(["王", "-k"], {"-k": True})


def test_table_model_and_mode_name_one_table() -> None:
    static = TableRef(None, Mode.STATIC)
    assert table_ref(None, None, None, None) == static
    assert table_ref(None, "dynamic", None, "mini") == TableRef("mini", Mode.DYNAMIC)
    assert table_ref("C:\\bert:dynamic", None, None, None) == TableRef("C:\\bert", Mode.DYNAMIC)
    short = TableRef("mini", Mode.DYNAMIC, "short", 2)
    assert table_ref(None, "dynamic.short@2", None, "mini") == short
    assert table_ref(None, "dynamic@2", "short", "mini") == short
    for others in (("dynamic", None, None), (None, "short", None), (None, None, "mini")):
        with pytest.raises(UsageError, match="use either --table or --model, --mode and --variant"):
            table_ref("static", *others)
    with pytest.raises(UsageError, match=r"'dynamic\.a' has a variant already"):
        table_ref(None, "dynamic.a", "b", None)
    for mode in ("mini:dynamic", "dyn"):
        with pytest.raises(UsageError, match=f"unknown mode '{mode}': expected static or dynamic"):
            table_ref(None, mode, None, None)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_class_has_a_generic_base_which_click_8_1_does_not_have(path: Path) -> None:
    classes = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    ]
    assert not [ast.unparse(base) for one in classes for base in one.bases
                if isinstance(base, ast.Subscript)]  # fmt: skip
