"""wordvec: explore the word vectors inside BERT, from the terminal or from Python.

Names are imported when they are first used, so that `import wordvec` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wordvec.engine import Engine as Engine
    from wordvec.engine import Hits as Hits
    from wordvec.errors import WordvecError as WordvecError
    from wordvec.expression import Expression as Expression
    from wordvec.expression import parse as parse
    from wordvec.metric import Metric as Metric
    from wordvec.norms import NormsReport as NormsReport
    from wordvec.norms import norms as norms
    from wordvec.opening import open_table as open_table
    from wordvec.query import Answer as Answer
    from wordvec.query import Neighbour as Neighbour
    from wordvec.query import query as query
    from wordvec.store import Store as Store
    from wordvec.table import Mode as Mode
    from wordvec.table import TableName as TableName
    from wordvec.table import TableRef as TableRef
    from wordvec.table import VectorTable as VectorTable
    from wordvec.vocabulary import Vocabulary as Vocabulary

__version__ = "0.1.0"

_HOME = {  # public name → the module that holds it
    "Answer": "wordvec.query",
    "Engine": "wordvec.engine",
    "Expression": "wordvec.expression",
    "Hits": "wordvec.engine",
    "Metric": "wordvec.metric",
    "Mode": "wordvec.table",
    "Neighbour": "wordvec.query",
    "NormsReport": "wordvec.norms",
    "Store": "wordvec.store",
    "TableName": "wordvec.table",
    "TableRef": "wordvec.table",
    "VectorTable": "wordvec.table",
    "Vocabulary": "wordvec.vocabulary",
    "WordvecError": "wordvec.errors",
    "open_table": "wordvec.opening",
    "parse": "wordvec.expression",
}
__all__ = ["__version__", *sorted(_HOME)]  # noqa: PLE0604  (every entry is a string)


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module 'wordvec' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
