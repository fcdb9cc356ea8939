"""wordvec: explore the word vectors inside BERT, from the terminal or from Python.

Names are imported when they are first used, so that `import wordvec` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wordvec.analysis.compare import compare as compare
    from wordvec.analysis.evaluate import evaluate as evaluate
    from wordvec.analysis.explain import explain as explain
    from wordvec.analysis.norms import NormsReport as NormsReport
    from wordvec.analysis.query import Answer as Answer
    from wordvec.analysis.query import Neighbour as Neighbour
    from wordvec.analysis.query import QueryEngine as QueryEngine
    from wordvec.analysis.similar import odd as odd
    from wordvec.analysis.similar import similar as similar
    from wordvec.api import open_table as open_table
    from wordvec.errors import WordvecError as WordvecError
    from wordvec.expression.parser import parse as parse
    from wordvec.expression.tree import Expression as Expression
    from wordvec.search.engine import Engine as Engine
    from wordvec.search.engine import Hits as Hits
    from wordvec.search.filters import Filters as Filters
    from wordvec.search.filters import Only as Only
    from wordvec.search.settings import Method as Method
    from wordvec.search.settings import Metric as Metric
    from wordvec.search.settings import Settings as Settings
    from wordvec.search.transforms import transform as transform
    from wordvec.tables.name import Mode as Mode
    from wordvec.tables.name import TableName as TableName
    from wordvec.tables.name import TableRef as TableRef
    from wordvec.tables.store import Store as Store
    from wordvec.tables.table import VectorTable as VectorTable
    from wordvec.vocabulary.lookup import Vocabulary as Vocabulary

__version__ = "0.1.0"

_HOME = {  # public name → the module that holds it
    "Answer": "wordvec.analysis.query",
    "Engine": "wordvec.search.engine",
    "Expression": "wordvec.expression.tree",
    "Filters": "wordvec.search.filters",
    "Hits": "wordvec.search.engine",
    "Method": "wordvec.search.settings",
    "Metric": "wordvec.search.settings",
    "Mode": "wordvec.tables.name",
    "Neighbour": "wordvec.analysis.query",
    "NormsReport": "wordvec.analysis.norms",
    "Only": "wordvec.search.filters",
    "QueryEngine": "wordvec.analysis.query",
    "Settings": "wordvec.search.settings",
    "Store": "wordvec.tables.store",
    "TableName": "wordvec.tables.name",
    "TableRef": "wordvec.tables.name",
    "VectorTable": "wordvec.tables.table",
    "Vocabulary": "wordvec.vocabulary.lookup",
    "WordvecError": "wordvec.errors",
    "compare": "wordvec.analysis.compare",
    "evaluate": "wordvec.analysis.evaluate",
    "explain": "wordvec.analysis.explain",
    "odd": "wordvec.analysis.similar",
    "open_table": "wordvec.api",
    "parse": "wordvec.expression.parser",
    "similar": "wordvec.analysis.similar",
    "transform": "wordvec.search.transforms",
}
__all__ = ["__version__", *sorted(_HOME)]  # noqa: PLE0604  (every entry is a string)


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module 'wordvec' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
