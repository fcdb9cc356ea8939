"""Exact search: float32 or float16 nominates rows, float64 decides, ties go to the lower row.

Imports tables and the ground.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wordvec.search.engine.guess import Guess
from wordvec.search.engine.search import Engine, Hits

if TYPE_CHECKING:
    from wordvec.search.engine.search import Floats as Floats
    from wordvec.search.engine.search import Mask as Mask
    from wordvec.search.engine.search import Rows as Rows

__all__ = ["Engine", "Guess", "Hits"]
