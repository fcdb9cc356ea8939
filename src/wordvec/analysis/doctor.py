"""Check tables up: the shape of each space, and analogies before and after each transform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wordvec.analysis.check_up import AnalogyCheck, CheckUp, CheckUps, option_text
from wordvec.analysis.display import table_name
from wordvec.analysis.evaluate import evaluate
from wordvec.analysis.evaluation_files import AnalogySet, read_test_sets
from wordvec.analysis.evaluation_scores import goodness, percent
from wordvec.analysis.evaluation_settings import EvaluationSettings
from wordvec.analysis.evaluation_statistics import compare_pair
from wordvec.analysis.findings import findings, top_components
from wordvec.analysis.space_measures import LIMIT, measure
from wordvec.errors import NoQuestionsError, UsageError
from wordvec.progress import Progress, no_progress
from wordvec.tables.table import TableDescription

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wordvec.analysis.evaluation_files import TestSet
    from wordvec.analysis.evaluation_scores import Combination
    from wordvec.tables.derived import Derived
    from wordvec.tables.table import VectorTable

LEAST_SHARE = 0.1  # of the bundled questions that a vocabulary must be able to ask


def check_up(
    tables: Sequence[tuple[VectorTable, Derived | None]],
    files: str | Path | Sequence[str | Path] = (),
    *,
    progress: Progress = no_progress,
) -> CheckUps:
    """Measure the space of each table, and its analogies by default and after each transform.

    Args:
        tables: each with what is kept beside it.
        files: analogies; none for the Japanese ones that are part of the package, which are asked
            only if a vocabulary has the words of a tenth of them.
        progress: called with numbers of steps: tokens whose neighbours are known, and questions.

    Raises:
        UsageError: for a file of pairs with a score.
        WordvecError: if a table has fewer than three tokens with a direction.
    """
    test_sets = [_analogies(one) for one in read_test_sets(files)]
    steps = _Steps(progress, tables, test_sets)
    checked = []
    for table, derived in tables:
        measures = measure(table, derived, progress=steps)
        steps.finish(measures.measured)
        analogies = _check_analogies(table, derived, test_sets, steps, bundled=not files)
        found = findings(measures, table.dimensions)
        checked.append(CheckUp(TableDescription.of(table), measures, found, analogies))
    steps.close()
    notes = [
        f"{table_name(one.table)} has {one.measures.tokens:,} tokens: a sample of {LIMIT:,} is "
        "measured, the same each time"
        for one in checked
        if one.measures.measured < one.measures.tokens
    ]
    names = tuple(one.name for one in test_sets)
    return CheckUps(tuple(checked), names, _between(checked), tuple(notes))


def _analogies(test_set: TestSet) -> AnalogySet:
    if not isinstance(test_set, AnalogySet):
        raise UsageError(
            f"a check-up takes analogies, and {test_set.name} has pairs with a score",
            hint=f"wordvec evaluate {test_set.name}",
        )
    return test_set


def _transforms(dimensions: int) -> list[list[str]]:
    """Return the transforms that are tried."""
    top = top_components(dimensions)
    without_top = [[f"abtt:{top}"]] if top < dimensions else []
    return [[], ["center"], ["standardize"], *without_top, ["whiten"]]


def _check_analogies(
    table: VectorTable,
    derived: Derived | None,
    test_sets: Sequence[AnalogySet],
    steps: _Steps,
    *,
    bundled: bool,
) -> AnalogyCheck:
    """Answer the questions by the default of a query, then by 3CosAdd after each transform."""
    tried = [
        EvaluationSettings.of(methods=["sum"], at=[1]),
        EvaluationSettings.of(methods=["add"], at=[1], transforms=_transforms(table.dimensions)),
    ]
    found: list[Combination] = []
    for settings in tried:
        try:
            found += evaluate([(table, derived)], test_sets, settings, progress=steps)
        except NoQuestionsError as error:
            return AnalogyCheck(reason=_reason(error.message, bundled=bundled))
        whole = found[0].overall
        all_questions = whole.questions + sum(whole.not_asked.values())
        if bundled and whole.questions < LEAST_SHARE * all_questions:
            asked = f"{whole.questions:,} of {all_questions:,} questions can be asked"
            return AnalogyCheck(reason=_reason(asked, bundled=True))
        steps.finish(whole.questions * len(settings.transforms))
    best = max(found, key=goodness)
    return AnalogyCheck(tuple(found), compare_pair(found, 0, found.index(best)))


def _reason(problem: str, *, bundled: bool) -> str:
    if not bundled:
        return problem
    return f"the included analogies are Japanese, and {problem}; name others with --files"


def _between(checked: Sequence[CheckUp]) -> str:
    """Say which of several tables answers best, compared with the next."""
    asked = [one for one in checked if one.analogies.combinations]
    if len(asked) < 2:
        return ""
    first, second = sorted(asked, key=lambda one: goodness(one.analogies.best), reverse=True)[:2]
    one, other = first.analogies.best, second.analogies.best
    compared = compare_pair([one, other], 0, 1)
    more = compared.only_first - compared.only_second
    of = f"of {compared.questions:,} that both can be asked (p = {compared.p:.2g})"
    names = [table_name(table) for table in (one.table, other.table)]
    if more == 0:
        return f"{names[0]} and {names[1]} answer equally many {of}."
    share = percent(one.overall.left_out.shares[0])
    verb, many = ("is best", "more") if more > 0 else ("has the largest share", "fewer")
    return (
        f"Of these tables {names[0]} {verb}: with {option_text(one)} it answers {share}, "
        f"{abs(more):,} {many} than {names[1]} {of}."
    )


class _Steps:
    """Adds up tokens and questions for one bar; called with the number done since `finish`."""

    def __init__(
        self,
        progress: Progress,
        tables: Sequence[tuple[VectorTable, Derived | None]],
        test_sets: Sequence[AnalogySet],
    ) -> None:
        self.progress = progress
        questions = sum(
            len(category.pairs) * (len(category.pairs) - 1)
            if category.questions is None
            else len(category.questions)
            for one in test_sets
            for category in one.categories.values()
        )
        self.total = sum(
            min(len(table), LIMIT) + (1 + len(_transforms(table.dimensions))) * questions
            for table, _ in tables
        )
        self._before = 0

    def __call__(self, done: int, total: int) -> None:
        del total
        self.progress(min(self._before + done, self.total), self.total)

    def finish(self, done: int) -> None:
        """Count steps as done before those that come."""
        self._before += done

    def close(self) -> None:
        """Report that everything is done."""
        self.progress(self.total, self.total)
