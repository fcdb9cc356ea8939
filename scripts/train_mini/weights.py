"""The weight of each source: `--weight kyoto=3` reads its text three times per pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Weights:
    """Source → weight; 1 for a source that is not named."""

    times: dict[str, float]

    @classmethod
    def parse(cls, settings: list[str]) -> Weights:
        """Parse `name=times` settings.

        >>> Weights.parse(["kyoto=3"]).of("kyoto"), Weights.parse([]).of("kyoto")
        (3.0, 1.0)
        """
        pairs = (setting.partition("=") for setting in settings)
        return cls({name: float(times) for name, _, times in pairs})

    def of(self, source: str) -> float:
        return self.times.get(source, 1.0)


def source_of(part: Path) -> str:
    """Return the source of a part: `aozora-0012.txt` → `aozora`."""
    return part.stem.rpartition("-")[0]


def add_weight_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weight",
        action="append",
        default=[],
        metavar="NAME=TIMES",
        help="read the text of NAME.txt so many times a pass",
    )
