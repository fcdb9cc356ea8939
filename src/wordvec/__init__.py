"""wordvec: explore the word vectors inside BERT, from the terminal or from Python.

Names are imported when they are first used, so that `import wordvec` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wordvec.answers import Answer as Answer
    from wordvec.answers import Neighbour as Neighbour
    from wordvec.comparison import compare as compare
    from wordvec.diagnosis import explain as explain
    from wordvec.engine import Engine as Engine
    from wordvec.engine import Hits as Hits
    from wordvec.errors import WordvecError as WordvecError
    from wordvec.evaluation import evaluate as evaluate
    from wordvec.expression import Expression as Expression
    from wordvec.expression import parse as parse
    from wordvec.filters import Filters as Filters
    from wordvec.filters import Only as Only
    from wordvec.metric import Metric as Metric
    from wordvec.norms import NormsReport as NormsReport
    from wordvec.opening import open_table as open_table
    from wordvec.query import Asker as Asker
    from wordvec.settings import Method as Method
    from wordvec.settings import Settings as Settings
    from wordvec.similarity import odd as odd
    from wordvec.similarity import similar as similar
    from wordvec.store import Store as Store
    from wordvec.table import Mode as Mode
    from wordvec.table import TableName as TableName
    from wordvec.table import TableRef as TableRef
    from wordvec.table import VectorTable as VectorTable
    from wordvec.transforms import transform as transform
    from wordvec.vocabulary import Vocabulary as Vocabulary

__version__ = "0.1.0"

_HOME = {  # public name → the module that holds it
    "Answer": "wordvec.answers",
    "Asker": "wordvec.query",
    "Engine": "wordvec.engine",
    "Expression": "wordvec.expression",
    "Filters": "wordvec.filters",
    "Hits": "wordvec.engine",
    "Method": "wordvec.settings",
    "Metric": "wordvec.metric",
    "Mode": "wordvec.table",
    "Neighbour": "wordvec.answers",
    "NormsReport": "wordvec.norms",
    "Only": "wordvec.filters",
    "Settings": "wordvec.settings",
    "Store": "wordvec.store",
    "TableName": "wordvec.table",
    "TableRef": "wordvec.table",
    "VectorTable": "wordvec.table",
    "Vocabulary": "wordvec.vocabulary",
    "WordvecError": "wordvec.errors",
    "compare": "wordvec.comparison",
    "evaluate": "wordvec.evaluation",
    "explain": "wordvec.diagnosis",
    "odd": "wordvec.similarity",
    "open_table": "wordvec.opening",
    "parse": "wordvec.expression",
    "similar": "wordvec.similarity",
    "transform": "wordvec.transforms",
}
__all__ = ["__version__", *sorted(_HOME)]  # noqa: PLE0604  (every entry is a string)


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module 'wordvec' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
