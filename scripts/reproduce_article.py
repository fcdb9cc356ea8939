#!/usr/bin/env python3
"""Ask the reference model the article's questions and print both answers side by side.

    .venv/bin/python scripts/reproduce_article.py [--store DIR]

It needs the reference model (445 MB, from the hub or its cache) and the extra `extract`.
Exit codes: 0 all answers are the article's, 1 some are not, 3 the model is not available.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from typing import Any

from wordvec.errors import WordvecError
from wordvec.models.default import REFERENCE
from wordvec.models.find import find_model
from wordvec.text import width

COULD_NOT_RUN = 3
ANSWERS = {
    ("static", "王-男+女"): "王 女 女王 国王 王国 王妃 王家 神 ##王 島",
    ("static", "王+女"): "女 王 男 女性 女王 娘 女子 神 姫 人",
    ("static", "王"): "王 国王 王国 神 皇帝 女王 ##王 王家 イギリス 島",
    ("static", "王+子"): "子 王 息子 ##子 子供 娘 王子 王国 弟 父",
    ("dynamic", "王+女-男"): "王 王位 王宮 王朝 女 宮 宗 王妃 皇族 子",
    ("dynamic", "王+子"): "王 子 伯 王妃 宗 余 祖 使 ##子 王位",
    ("dynamic", "王+女"): "女 王 男 顔 王位 王子 子 人民 賊 技師",
}
NORMS = {
    "王": 1.0982342958450317,
    "子": 1.1643147468566895,
    "女": 1.134019136428833,
    "男": 1.125975251197815,
}


def main() -> int:
    """Extract, ask and compare; return the exit code."""
    arguments = argparse.ArgumentParser(description="ask the article's questions")
    arguments.add_argument("--store", help="the folder of tables")
    store = arguments.parse_args().store
    try:
        source = find_model(REFERENCE, show_progress=True)
    except WordvecError as error:
        print(f"Could not run: {error.message}", file=sys.stderr)
        return COULD_NOT_RUN
    print(f"{REFERENCE} at {source.revision}\n")
    where = ["--model", REFERENCE, *(["--store", store] if store else [])]
    for mode in ("static", "dynamic"):
        subprocess.run([*_WORDVEC, "extract", "--mode", mode, *where], check=True)
    agreed = [_same_answer(mode, query, where) for mode, query in ANSWERS]
    agreed += _same_norms(where)
    print(f"\n{sum(agreed)} of {len(agreed)} as published")
    return 0 if all(agreed) else 1


# One process per command: on macOS torch and faiss cannot be loaded into the same one.
_WORDVEC = [sys.executable, "-m", "wordvec"]


def _same_answer(mode: str, query: str, where: list[str]) -> bool:
    published = ANSWERS[mode, query].split()
    answer = _ask("query", query, "--mode", mode, *where)[0]
    ours = [neighbour["token"] for neighbour in answer["neighbours"]]
    print(f"\n{mode} {query}\n  {_pad('published')}wordvec")
    for theirs, token in zip(published, ours, strict=True):
        print(f"  {_pad(theirs)}{_pad(token)}{'' if theirs == token else '←'}".rstrip())
    return published == ours


def _pad(token: str) -> str:
    return token + " " * (14 - width(token))


def _same_norms(where: list[str]) -> list[bool]:
    answer = _ask("norms", *NORMS, *where)[0]
    print("\nstatic norms")
    agreed = []
    for row in answer["norms"]:
        published = NORMS[row["token"]]
        agreed.append(math.isclose(row["norm"], published, rel_tol=1e-6))
        print(f"  {row['token']}  {published:.7f}  {row['norm']:.7f}")
    return agreed


def _ask(*command: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [*_WORDVEC, *command, "--json"], check=True, capture_output=True, encoding="utf-8"
    )
    answers = json.loads(done.stdout)
    return answers if isinstance(answers, list) else [answers]


if __name__ == "__main__":
    sys.exit(main())
