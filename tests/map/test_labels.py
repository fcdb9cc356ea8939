"""Files of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.tables import table_of
from wordvec.errors import EncodingError, WordvecError
from wordvec.map.labels import read_labels

if TYPE_CHECKING:
    from pathlib import Path

VOCABULARY = table_of({"王": [1.0], "女": [2.0], "Ａ": [3.0], "男": [4.0]}).vocabulary


def test_labels_are_read_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "labels.tsv"
    file.write_text("女\t人\n王\t位\r\n\n神\t人\n男\t位\n男\t人\n", "utf-8")
    found = read_labels(file, VOCABULARY)
    assert found.names == ("人", "位")
    assert found.label_of.tolist() == [1, 0, -1, 0]
    assert found.unknown == ("神",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("王\t位\n女\n", r"labels\.tsv, line 2: expected a token, a tab and a label, got 女"),
        ("王\t \n", r"line 1: expected a token, a tab and a label, got 王"),
        ("神\t人\n", r"labels\.tsv has no label for a token of this vocabulary"),
        ("", r"has no label"),
    ],
)
def test_a_file_that_cannot_be_used_is_explained(
    tmp_path: Path, content: str, message: str
) -> None:
    file = tmp_path / "labels.tsv"
    file.write_text(content, "utf-8")
    with pytest.raises(WordvecError, match=message):
        read_labels(file, VOCABULARY)


def test_another_encoding_is_named(tmp_path: Path) -> None:
    file = tmp_path / "labels.tsv"
    file.write_bytes("王\tくらい\n".encode("cp932"))
    with pytest.raises(EncodingError, match="Shift-JIS"):
        read_labels(file, VOCABULARY)
