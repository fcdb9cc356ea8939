"""The joint vocabulary of the tables of a map."""

from __future__ import annotations

from dataclasses import replace

from wordvec.map.joint_vocabulary import join_vocabularies
from wordvec.vocabulary.lookup import Vocabulary
from wordvec.vocabulary.spelling import Scheme


def test_equal_vocabularies_keep_their_rows() -> None:
    one = Vocabulary(("[PAD]", "王", "##王"), special_ids=(0,))
    joint = join_vocabularies([one, replace(one, rare={1: 3})])
    assert joint.vocabulary == one
    assert [rows.tolist() for rows in joint.rows] == [[0, 1, 2], [0, 1, 2]]


def test_tokens_with_the_same_text_are_one_and_others_are_added() -> None:
    bert = Vocabulary(("[PAD]", "王", "##王", "女"), special_ids=(0,))
    words = Vocabulary(("女", "女王", "王"), scheme=Scheme.WORDPIECE)
    sentencepiece = Vocabulary(
        ("<s>", "▁王", "王", "▁女王", "国"), scheme=Scheme.SENTENCEPIECE, special_ids=(0,)
    )
    joint = join_vocabularies([bert, words, sentencepiece])
    assert joint.vocabulary.tokens == ("[PAD]", "王", "##王", "女", "女王", "<s>", "王", "国")
    assert [rows.tolist() for rows in joint.rows] == [
        [0, 1, 2, 3],
        [3, 4, 1],
        [5, 1, 6, 4, 7],  # ▁王 is 王; the second 王 stays a token of its own
    ]
    assert joint.vocabulary.special_ids == (0, 5)


def test_of_equal_tokens_in_one_table_each_keeps_a_row() -> None:
    one = Vocabulary(("王", "女"))
    other = Vocabulary(("女", "女", "王"))
    assert join_vocabularies([one, other]).rows[1].tolist() == [1, 2, 0]
