"""What all results have in common: they show themselves, and iterate over what they list.

A result has a header (the table and the settings), a title if it answers an expression, and blocks:
tables and lines of facts. `repr` is the text that the command prints; notebooks show HTML tables.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from wordvec.analysis.display import OutputStyle, block_lines, header_lines, html_element
from wordvec.text import escape_controls

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.analysis.display import Block

Item = TypeVar("Item")


class Result(ABC, Generic[Item]):
    """The answer to a question. Iterates over what it lists."""

    __slots__ = ()

    _listed: ClassVar[str]  # the attribute that the result iterates over

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader should know, such as how words were read, where not as typed."""
        return ()

    @property
    def _title(self) -> str:
        """The expression, as it is shown; empty if there is none."""
        return ""

    @abstractmethod
    def _header_fields(self) -> list[str]:
        """Return the fields of the header: table, metric, transforms, filters."""

    @abstractmethod
    def _blocks(self) -> Sequence[Block]:
        """Return what is shown below the header, at least one block."""

    @abstractmethod
    def tsv_rows(self) -> Iterator[list[object]]:
        """Yield what `--tsv` prints, row by row, the heading first."""

    @abstractmethod
    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""

    @property
    def _items(self) -> Sequence[Item]:
        items: Sequence[Item] = getattr(self, self._listed)
        return items

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> Item:
        return self._items[index]

    def __repr__(self) -> str:
        notes = [f"Note: {escape_controls(note)}" for note in self.notes]
        return "\n".join([*notes, *self.text_lines(OutputStyle())])

    def _repr_html_(self) -> str:
        """Return the blocks as HTML, for notebooks. The header is the caption of the first."""
        caption = " · ".join([*([self._title] if self._title else []), *self._header_fields()])
        notes = [html_element("p", f"Note: {note}") for note in self.notes]
        first, *others = self._blocks()
        return "".join([*notes, first.html(caption), *(block.html() for block in others)])

    def text_lines(self, style: OutputStyle) -> list[str]:
        """Return the lines that the command prints."""
        return [*self.header_lines(style), *self.body_lines(style)]

    def header_lines(self, style: OutputStyle) -> list[str]:
        """Return the header: one line, or several if it is too long."""
        return header_lines(self._header_fields(), style)

    def body_lines(self, style: OutputStyle) -> list[str]:
        """Return the lines below the header, beginning with a blank one."""
        return block_lines(self._title, self._blocks(), style)
