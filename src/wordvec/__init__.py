"""wordvec: explore the word vectors inside BERT, from the terminal or from Python.

    >>> import wordvec
    >>> table = wordvec.open("mini:static")
    >>> [neighbour.token for neighbour in table.query("王-男+女", k=4)]
    ['王', '太子', '姫', '女王']

Names are imported when they are first used, so that `import wordvec` takes no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wordvec.analysis.axis_report import AxisReport as AxisReport
    from wordvec.analysis.check_up import CheckUps as CheckUps
    from wordvec.analysis.check_up_page import check_up_page as check_up_page
    from wordvec.analysis.compare import Comparison as Comparison
    from wordvec.analysis.contexts import Contexts as Contexts
    from wordvec.analysis.evaluation import Evaluation as Evaluation
    from wordvec.analysis.evaluation_page import evaluation_page as evaluation_page
    from wordvec.analysis.explanation import Explanation as Explanation
    from wordvec.analysis.norms import NormsReport as NormsReport
    from wordvec.analysis.odd import OddOne as OddOne
    from wordvec.analysis.query import Answer as Answer
    from wordvec.analysis.query import Neighbour as Neighbour
    from wordvec.analysis.similar import Similarities as Similarities
    from wordvec.analysis.trace import Trace as Trace
    from wordvec.api import axis as axis
    from wordvec.api import compare as compare
    from wordvec.api import doctor as doctor
    from wordvec.api import evaluate as evaluate
    from wordvec.api import extract as extract
    from wordvec.api import import_vectors as import_vectors
    from wordvec.api import open as open  # noqa: A004  # the public name
    from wordvec.api import trace as trace
    from wordvec.errors import ExpressionError as ExpressionError
    from wordvec.errors import UnknownWordError as UnknownWordError
    from wordvec.errors import UsageError as UsageError
    from wordvec.errors import WordvecError as WordvecError
    from wordvec.expression.parser import parse as parse
    from wordvec.expression.tree import Expression as Expression
    from wordvec.formats.import_table import import_pickle as import_pickle
    from wordvec.search.filters import Filters as Filters
    from wordvec.search.settings import Method as Method
    from wordvec.search.settings import Metric as Metric
    from wordvec.search.settings import QuerySettings as QuerySettings
    from wordvec.table import Table as Table
    from wordvec.tables.name import Mode as Mode
    from wordvec.tables.store import Store as Store

__version__ = "0.1.0"

_HOME = {  # public name → the module that holds it
    "Answer": "wordvec.analysis.query",
    "AxisReport": "wordvec.analysis.axis_report",
    "CheckUps": "wordvec.analysis.check_up",
    "Comparison": "wordvec.analysis.compare",
    "Contexts": "wordvec.analysis.contexts",
    "Evaluation": "wordvec.analysis.evaluation",
    "Explanation": "wordvec.analysis.explanation",
    "Expression": "wordvec.expression.tree",
    "ExpressionError": "wordvec.errors",
    "Filters": "wordvec.search.filters",
    "Method": "wordvec.search.settings",
    "Metric": "wordvec.search.settings",
    "Mode": "wordvec.tables.name",
    "Neighbour": "wordvec.analysis.query",
    "NormsReport": "wordvec.analysis.norms",
    "OddOne": "wordvec.analysis.odd",
    "QuerySettings": "wordvec.search.settings",
    "Similarities": "wordvec.analysis.similar",
    "Store": "wordvec.tables.store",
    "Table": "wordvec.table",
    "Trace": "wordvec.analysis.trace",
    "UnknownWordError": "wordvec.errors",
    "UsageError": "wordvec.errors",
    "WordvecError": "wordvec.errors",
    "axis": "wordvec.api",
    "check_up_page": "wordvec.analysis.check_up_page",
    "compare": "wordvec.api",
    "doctor": "wordvec.api",
    "evaluate": "wordvec.api",
    "evaluation_page": "wordvec.analysis.evaluation_page",
    "extract": "wordvec.api",
    "import_pickle": "wordvec.formats.import_table",
    "import_vectors": "wordvec.api",
    "open": "wordvec.api",
    "parse": "wordvec.expression.parser",
    "trace": "wordvec.api",
}
__all__ = ["__version__", *sorted(_HOME)]  # noqa: PLE0604  (every entry is a string)


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module 'wordvec' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
