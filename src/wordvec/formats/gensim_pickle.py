"""The objects in gensim's pickles, as records: nothing is imported, and nothing in them runs.

gensim pickles a `KeyedVectors` with its attributes: numpy arrays, a list of words, dicts of words,
and settings. A whole model also has random states and references to functions. Each name that
occurs is listed here, and becomes a record that is only read; any other name is refused.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from wordvec.formats.safe_pickle import NUMPY_FUNCTIONS, Dialect, Record, Refused, kind_of, load

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable

_INSTRUCTIONS = {
    "EMPTY_LIST", "APPEND", "APPENDS", "FLOAT", "BINFLOAT", "NEWOBJ", "FROZENSET",
}  # fmt: skip
_KEYED_VECTORS = "gensim.models.keyedvectors."
_CLASSES = (
    *(f"{_KEYED_VECTORS}KeyedVectors", f"{_KEYED_VECTORS}Word2VecKeyedVectors"),
    *(f"{_KEYED_VECTORS}EuclideanKeyedVectors", f"{_KEYED_VECTORS}FastTextKeyedVectors"),
    *(f"{_KEYED_VECTORS}Vocab", f"{_KEYED_VECTORS}CompatVocab", f"{_KEYED_VECTORS}SimpleVocab"),
    *("gensim.models.word2vec.Word2Vec", "gensim.models.word2vec.Word2VecVocab"),
    *("gensim.models.word2vec.Word2VecTrainables", "gensim.models.word2vec.Vocab"),
    *("gensim.models.fasttext.FastText", "gensim.models.fasttext.FastTextVocab"),
    *("gensim.models.fasttext.FastTextTrainables", "gensim.models.fasttext.FastTextKeyedVectors"),
)
# Values of attributes that are not read: the hash function, and references to classes.
_NAMES_ONLY = (
    *("builtins.hash", "builtins.int"),
    *("__builtin__.hash", "__builtin__.int", "__builtin__.long"),  # protocol 2 writes long for int
    *("gensim.utils.call_on_class_only", "numpy.float32", "numpy.float64"),
    "numpy.random._mt19937.MT19937",
)
_RANDOM_STATES = (
    *("numpy.random._pickle.__randomstate_ctor", "numpy.random.__RandomState_ctor"),
    *("numpy.random._pickle.__bit_generator_ctor", "numpy.random.mtrand.__RandomState_ctor"),
)


class PickledMap(Record):
    """A dict with texts and ints as keys; hashing any other key can take very long."""

    __slots__ = ("items",)
    kind = "a dict"

    def __init__(self, *_: object) -> None:
        self.items: dict[str | int, object] = {}

    def __setitem__(self, key: object, value: object) -> None:
        """Set an item, for SETITEM and SETITEMS."""
        if type(key) is not int and type(key) is not str:
            raise Refused(f"a key of a dict is {kind_of(key)}")
        self.items[key] = value


class PickledObject(Record):
    """An object of a class in `_CLASSES`, with its attributes."""

    __slots__ = ("attributes", "kind")

    def __init__(self, full_name: str, *_: object) -> None:
        self.kind = full_name
        self.attributes: dict[str | int, object] = {}

    def __setstate__(self, state: object) -> None:
        """Set the attributes, for BUILD."""
        if not isinstance(state, PickledMap):
            raise Refused(f"the attributes of {self.kind} are {kind_of(state)}")
        self.attributes = state.items


class PickledRandomState(Record):
    """The state of a random generator, which is not kept."""

    __slots__ = ()
    kind = "a random state"

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        """Accept any state, for BUILD."""


def _frozenset(items: object = ()) -> tuple[()]:
    """Return the value of `frozenset([])`, how protocols 2 and 3 write an empty one."""
    if not isinstance(items, (list, tuple)) or items:
        raise Refused("it contains a set")
    return ()


_FUNCTIONS: dict[str, Callable[..., object] | None] = {
    **NUMPY_FUNCTIONS,
    **dict.fromkeys(_NAMES_ONLY),
    **{name: partial(PickledObject, name) for name in _CLASSES},
    **dict.fromkeys(_RANDOM_STATES, PickledRandomState),
    **dict.fromkeys(("builtins.frozenset", "__builtin__.frozenset"), _frozenset),
    # Python 3.4 writes the second name in protocol 2
    **dict.fromkeys(("collections.defaultdict", "UserString.defaultdict"), PickledMap),
}
_DIALECT = Dialect(frozenset(_INSTRUCTIONS), _FUNCTIONS, PickledMap)
_OTHER_OBJECTS = 10_000
_BYTES_PER_OBJECT = 16  # gensim 3 has two objects for each word, in 30 bytes or more


def load_gensim(data: mmap.mmap) -> PickledObject:
    """Return the object of a gensim pickle.

    Raises:
        Refused: The pickle is damaged, or contains anything that is not listed here.
    """
    most = _OTHER_OBJECTS + len(data) // _BYTES_PER_OBJECT
    loaded = load(data, len(data) + 1, dialect=_DIALECT, max_objects=most)
    if not isinstance(loaded, PickledObject):
        raise Refused(f"expected an object of gensim, got {kind_of(loaded)}")
    return loaded
