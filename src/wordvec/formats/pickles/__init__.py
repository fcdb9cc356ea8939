"""The article's pickle, `{id: vector}`, in and out, and nothing run on the way.

Reading does not use `pickle`: a pickle is a program, and this is a machine of our own that knows
only the instructions which build dicts, ints, strings, bytes, tuples and numpy arrays (protocols
0 to 5, numpy 1 and 2). The few names that numpy's arrays ask for are mapped to functions here that
check and remember; none is imported, and numpy's own `__setstate__` never sees a foreign state.
Bytes are not copied but pointed at, inside the mapped file, so that a length is checked against the
file before any memory is taken. Whatever else is asked for is refused by its name.
"""

from wordvec.formats.pickles.reading import load_vectors
from wordvec.formats.pickles.writing import dump_vectors

__all__ = ["dump_vectors", "load_vectors"]
