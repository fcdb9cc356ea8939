"""How spaCy numbers its strings: a symbol has a small id, any other string its 64-bit hash.

spaCy saves the hashes of words, not the words. The words are found by hashing each string of
`strings.json` again. The hash is MurmurHash64A with the seed 1 over the UTF-8 bytes:
https://github.com/aappleby/smhasher (MurmurHash2.cpp). The symbols are those of spaCy 3
(`spacy.symbols.IDS`); their ids are fixed.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

_FACTOR, _SHIFT, _SEED = 0xC6A4A7935BD1E995, 47, 1
_FLAGS = " ".join(f"FLAG{number}" for number in range(19, 64))
_DEPRECATED = " ".join(f"DEPRECATED{number:03}" for number in range(1, 277))
_SYMBOLS_FROM_1 = f"""
IS_ALPHA IS_ASCII IS_DIGIT IS_LOWER IS_PUNCT IS_SPACE IS_TITLE IS_UPPER LIKE_URL LIKE_NUM
LIKE_EMAIL IS_STOP IS_OOV_DEPRECATED IS_BRACKET IS_QUOTE IS_LEFT_PUNCT IS_RIGHT_PUNCT IS_CURRENCY
{_FLAGS} ID ORTH LOWER NORM SHAPE PREFIX SUFFIX LENGTH CLUSTER LEMMA POS TAG DEP ENT_IOB ENT_TYPE
HEAD SENT_START SPACY PROB LANG ADJ ADP ADV AUX CONJ CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT
SCONJ SYM VERB X EOL SPACE {_DEPRECATED} PERSON NORP FACILITY ORG GPE LOC PRODUCT EVENT WORK_OF_ART
LANGUAGE LAW DATE TIME PERCENT MONEY QUANTITY ORDINAL CARDINAL acomp advcl advmod agent amod appos
attr aux auxpass cc ccomp complm conj cop csubj csubjpass dep det dobj expl hmod hyph infmod intj
iobj mark meta neg nmod nn npadvmod nsubj nsubjpass num number oprd obj obl parataxis partmod pcomp
pobj poss possessive preconj prep prt punct quantmod relcl rcmod root xcomp acl ENT_KB_ID MORPH
ENT_ID IDX _
"""


@cache
def symbols() -> dict[str, int]:
    """Return the id of each symbol, such as "NOUN" and "root"; the empty string is 0."""
    return {name: id_ for id_, name in enumerate(["", *_SYMBOLS_FROM_1.split()])}


def keys_of(strings: Sequence[str]) -> dict[int, str]:
    """Return the key of each string and of each symbol: key → string."""
    ordinary = [string for string in strings if string not in symbols()]
    encoded = [string.encode("utf-8", "surrogatepass") for string in ordinary]
    hashed = dict(zip(murmur_hashes(encoded).tolist(), ordinary, strict=True))
    return hashed | {id_: name for name, id_ in symbols().items()}


def murmur_hashes(texts: Sequence[bytes]) -> NDArray[np.uint64]:
    """Return the MurmurHash64A of each text, all texts of one length at a time."""
    import numpy as np

    hashes = np.zeros(len(texts), dtype=np.uint64)
    rows_of: dict[int, list[int]] = {}
    for row, text in enumerate(texts):
        rows_of.setdefault(len(text), []).append(row)
    for length, rows in rows_of.items():
        hashes[rows] = _hash_equal_lengths([texts[row] for row in rows], length)
    return hashes


def _hash_equal_lengths(texts: list[bytes], length: int) -> NDArray[np.uint64]:
    import numpy as np

    factor, shift = np.uint64(_FACTOR), np.uint64(_SHIFT)
    padding = bytes(-length % 8)
    words = np.frombuffer(b"".join(text + padding for text in texts), "<u8")
    words = words.reshape(len(texts), (length + 7) // 8).astype(np.uint64)  # (B, 8 bytes each)
    start = _SEED ^ (length * _FACTOR & 0xFFFF_FFFF_FFFF_FFFF)
    hashes = np.full(len(texts), start, dtype=np.uint64)
    for column in range(length // 8):
        mixed = words[:, column] * factor
        mixed ^= mixed >> shift
        hashes = (hashes ^ (mixed * factor)) * factor
    if length % 8:
        hashes = (hashes ^ words[:, -1]) * factor
    hashes = (hashes ^ (hashes >> shift)) * factor
    return hashes ^ (hashes >> shift)
