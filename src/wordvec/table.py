"""The class `Table`: a saved table, and the questions that can be asked of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from wordvec.context import ContextModels
from wordvec.errors import UsageError, WordvecError, as_path, check_type
from wordvec.expression.parser import parsed
from wordvec.progress import Progress, no_progress
from wordvec.search.settings import QuerySettings, as_transforms, check_k
from wordvec.text import escape_controls

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Unpack

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.analysis.axis_report import AxisReport
    from wordvec.analysis.axis_settings import AxisOptions
    from wordvec.analysis.check_up import CheckUps
    from wordvec.analysis.contexts import Contexts
    from wordvec.analysis.evaluation import Evaluation
    from wordvec.analysis.evaluation_settings import EvaluationOptions
    from wordvec.analysis.explanation import Explanation
    from wordvec.analysis.norms import NormsReport
    from wordvec.analysis.odd import OddOne
    from wordvec.analysis.query import Answer, QueryEngine
    from wordvec.analysis.similar import Similarities
    from wordvec.expression.tree import Expression
    from wordvec.formats.export import ExportResult
    from wordvec.search.settings import QueryOptions
    from wordvec.search.space import Space
    from wordvec.tables.derived import Derived
    from wordvec.tables.name import TableName
    from wordvec.tables.table import VectorTable


class Table:
    """One vector per token of a model, and the questions that can be asked of it.

    Words are given as typed ("王"), by id ("#527"), or as an id (527). `notes` says how the table
    was chosen, if that was not as asked.
    """

    def __init__(
        self,
        data: VectorTable,
        *,
        derived: Derived | None = None,
        notes: tuple[str, ...] = (),
        models: ContextModels | None = None,
    ) -> None:
        self.data = data
        self.derived = derived
        self.notes = notes
        self._models = models or ContextModels()
        self._spaces: dict[tuple[str, ...], Space] = {}

    @property
    def name(self) -> TableName:
        """The name of the table: `mini:static`."""
        return self.data.name

    @property
    def tokens(self) -> list[str]:
        """The tokens as the model spells them, in row order."""
        return list(self.data.vocabulary.tokens)

    @property
    def vectors(self) -> NDArray[np.float32]:
        """The vectors, (V, D) float32, as the model gives them, mapped from disk."""
        return self.data.vectors

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[str]:
        return iter(self.data.vocabulary.tokens)

    def __contains__(self, word: object) -> bool:
        try:
            self._row(word)
        except WordvecError:
            return False
        return True

    def __getitem__(self, word: str | int) -> NDArray[np.float32]:
        """Return the vector of a word: (D,) float32.

        Raises:
            UnknownWordError: if it is not in the vocabulary (it is a KeyError too).
        """
        vector: NDArray[np.float32] = self.data.vectors[self._row(word)]
        return vector

    def __repr__(self) -> str:
        V, D = self.data.vectors.shape
        notes = "".join(f"\nNote: {escape_controls(note)}" for note in self.notes)
        return f"{escape_controls(str(self.name))} · {V:,} × {D}{notes}"

    def norm(self, word: str | int) -> float:
        """Return the L2 norm of the vector of a word."""
        return float(self.data.norms[self._row(word)])

    def similarity(self, first: str | int, second: str | int) -> float:
        """Return the cosine similarity of two words, computed in float64."""
        return self.similar([first, second]).scores[0][1]

    @overload
    def query(self, expression: str | Expression, **options: Unpack[QueryOptions]) -> Answer: ...
    @overload
    def query(
        self, expression: list[str] | list[Expression], **options: Unpack[QueryOptions]
    ) -> list[Answer]: ...
    def query(self, expression: Any, **options: Unpack[QueryOptions]) -> Answer | list[Answer]:
        """Find the tokens nearest to an expression such as "王-男+女" or "男:女=王:?".

        Args:
            expression: one, or several, which are answered as a list.
            **options: k=10, metric="l2", method="sum", transforms=[], exclude=False and more: see
                `wordvec.QuerySettings` and `wordvec.Filters`.

        Returns:
            An answer, which iterates over its neighbours, best first.

        Raises:
            ExpressionError: for an expression that cannot be parsed, or an unknown word.
            UsageError: for an unknown value of an option.
        """
        several = not isinstance(expression, str) and hasattr(expression, "__iter__")
        engine = self.engine(**options)
        questions = [
            engine.prepare(parsed(one)) for one in (expression if several else [expression])
        ]
        answers = engine.answer(questions)
        return answers if several else answers[0]

    def most_similar(
        self,
        positive: str | int | Sequence[str | int | tuple[str | int, float]] = (),
        negative: str | int | Sequence[str | int | tuple[str | int, float]] = (),
        topn: int = 10,
    ) -> list[tuple[str, float]]:
        """Return the tokens nearest to a sum of words by 3CosAdd, as gensim does.

        The words themselves are left out. A word may have a weight: ("王", 2.0).

        Returns:
            (token, cosine similarity), best first; ties to the lower row.
        """
        from wordvec.expression.tree import Term, TokenId
        from wordvec.search.resolve import ResolvedExpression

        terms = [
            Term(TokenId(row), sign * weight, (row,))
            for words, sign in ((positive, 1.0), (negative, -1.0))
            for row, weight in map(self._weighted, _as_list(words))
        ]
        if not terms:
            raise UsageError("expected at least one word in positive or negative")
        engine = self.engine(k=check_k(topn, "topn"), method="add", exclude=True)
        [answer] = engine.answer(
            [engine.prepare_resolved(ResolvedExpression("most_similar", tuple(terms)))]
        )
        tokens = self.data.vocabulary.tokens
        return [(tokens[neighbour.id], neighbour.score) for neighbour in answer]

    def explain(
        self,
        expression: str | Expression,
        token: str | int | None = None,
        *,
        over: str | int | None = None,
        calibrated: bool = False,
        **options: Unpack[QueryOptions],
    ) -> Explanation:
        """Split the score of an answer over the words of the expression and the dimensions.

        Args:
            token: the answer; None for the first that is not a word of the expression.
            over: another token, to compare the answer with.
            calibrated: compare the score with those of 10,000 random expressions too.
            **options: as for `query`; metric "l2", "cosine" or "dot".
        """
        from wordvec.analysis.explain import explain

        engine = self.engine(**options)
        return explain(engine, parsed(expression), token, over=over, calibrated=calibrated)

    def norms(
        self,
        words: Sequence[str | int] = (),
        *,
        largest: int = 0,
        smallest: int = 0,
        pieces: bool = False,
    ) -> NormsReport:
        """Return the norms of words and their ranks, then the largest and smallest of all."""
        from wordvec.analysis.norms import norms

        return norms(self.data, _as_list(words), largest=largest, smallest=smallest, pieces=pieces)

    def similar(
        self,
        words: Sequence[str | int],
        *,
        metric: str = "cosine",
        transforms: str | Iterable[str] = (),
        pieces: bool = False,
    ) -> Similarities:
        """Return the similarity of every pair of words."""
        from wordvec.analysis.similar import similar

        table = self.transformed(transforms)
        return similar(table, _as_list(words), metric=metric, pieces=pieces)

    def odd(
        self,
        words: Sequence[str | int],
        *,
        transforms: str | Iterable[str] = (),
        pieces: bool = False,
    ) -> OddOne:
        """Return the word that is least similar to the mean of the others."""
        from wordvec.analysis.odd import odd

        return odd(self.transformed(transforms), _as_list(words), pieces=pieces)

    def axis(
        self,
        axis: str | Expression,
        words: Sequence[str | int] = (),
        *,
        y: str | Expression | None = None,
        **options: Unpack[AxisOptions],
    ) -> AxisReport:
        """Order words along an axis between two poles, such as "女-男" (SemAxis).

        Args:
            axis: the direction, a sum such as "女-男" or "(女+母)/2-(男+父)/2".
            y: a second axis, for a scatter.
            **options: top, file, metric …: see `wordvec.analysis.axis_settings.AxisSettings`.
        """
        return place_on_axis([self], axis, words, y=y, **options)

    def contexts(  # noqa: PLR0913  # one keyword for each option of `wordvec contexts`
        self,
        word: str | int,
        corpus: str | Path | Sequence[str | Path],
        *,
        n: int = 20,
        sort: str = "corpus",
        k: int = 5,
        metric: str = "l2",
        transforms: str | Iterable[str] = (),
        field: str | None = None,
        sentences: int | None = None,
        progress: Progress = no_progress,
        computing: Progress = no_progress,
    ) -> Contexts:
        """Find occurrences of a word in a corpus, with the vector of the word in each sentence.

        Args:
            word: as typed, or an id.
            corpus: files, folders, "-" or "hf:OWNER/NAME[:CONFIG]".
            n: how many occurrences to list.
            sort: "corpus" for the first ones; "distance" for those nearest to the word's vector in
                the table, of all or of a random sample of 1,000.
            k: tokens nearest to each occurrence.
            metric: "l2", "cosine" or "dot".
            transforms: as for `query`.
            field: the field with the text, if the corpus is JSON lines or a data set.
            sentences: read only the first sentences.
            progress: called as progress(done, total) with numbers of bytes.
            computing: called with numbers of occurrences.
        """
        from wordvec.context import find_contexts
        from wordvec.extraction.corpus import Corpus

        names = [corpus] if isinstance(corpus, str | Path) else list(corpus)
        engine = self.engine(k=k, metric=metric, transforms=as_transforms(transforms), exclude=True)
        return find_contexts(
            self._models.context(self.data),
            engine,
            word,
            Corpus.of(names, field),
            n=check_k(n, "n"),
            sort=sort,
            sentences=sentences,
            progress=progress,
            computing=computing,
        )

    def evaluate(
        self,
        files: str | Path | Sequence[str | Path] = (),
        *,
        progress: Progress = no_progress,
        **options: Unpack[EvaluationOptions],
    ) -> Evaluation:
        """Measure the table on analogies and word similarity, by every method and transform.

        Args:
            files: see `analysis.evaluation_files`; none for the Japanese analogies that are part of
                the package.
            progress: called as progress(done, total) with numbers of questions.
            **options: methods=["add"], transforms=[[]], metric, at=(1, 5, 10), pieces=False,
                by=None, failures=0: see `wordvec.analysis.evaluation_settings.EvaluationSettings`.
        """
        return evaluate_tables([self], files, progress=progress, **options)

    def doctor(
        self, files: str | Path | Sequence[str | Path] = (), *, progress: Progress = no_progress
    ) -> CheckUps:
        """Check the space up: what can mislead, which option mends it, and what to use.

        Args:
            files: analogies, as for `evaluate`; none for those that are part of the package.
            progress: called as progress(done, total) with numbers of steps.
        """
        return check_up_tables([self], files, progress=progress)

    def export(
        self,
        file: str | Path,
        file_format: str | None = None,
        *,
        force: bool = False,
        progress: Progress = no_progress,
    ) -> ExportResult:
        """Write the table to a file for other programs.

        Args:
            file: where; its suffix says the format, such as `.txt` for word2vec's text.
            file_format: the name of a format, for a file with another suffix.
            force: replace the file if it exists.
            progress: called as progress(done, total) with numbers of tokens.
        """
        from wordvec.formats.export import export_table

        path = as_path(file, "file")
        return export_table(self.data, path, file_format, force=force, progress=progress)

    def engine(
        self, *, progress: Progress = no_progress, **options: Unpack[QueryOptions]
    ) -> QueryEngine:
        """Return a query engine with these options, for many questions in a row."""
        return self.engine_for(QuerySettings.of(**options), progress=progress)

    def engine_for(
        self,
        settings: QuerySettings,
        named_transforms: tuple[str, ...] = (),
        *,
        progress: Progress = no_progress,
    ) -> QueryEngine:
        """Return a query engine with these settings, or with transforms that only it has.

        It is shown with `named_transforms`; they and transforms of the settings exclude each other.
        """
        from wordvec.analysis.query import QueryEngine

        check_type(settings, QuerySettings, "settings")
        if named_transforms:
            if settings.all_transforms:
                raise UsageError(
                    f"{self.name}+{'+'.join(named_transforms)} has its own transforms: leave out "
                    f"{', '.join(settings.all_transforms)} for all tables",
                )
            settings = replace(settings, transforms=named_transforms)
        space = self.space(settings.all_transforms)
        named = bool(named_transforms)
        reader = self._models.reader(self.data, space)
        return QueryEngine(
            space, settings, named_transforms=named, read_sentence=reader, progress=progress
        )

    def space(self, transforms: str | Iterable[str] = ()) -> Space:
        """Return the space of this table after transforms, computed once and kept."""
        from wordvec.search.space import Space

        steps = as_transforms(transforms)
        if steps not in self._spaces:
            self._spaces[steps] = Space(self.data, steps, derived=self.derived)
        return self._spaces[steps]

    def transformed(self, transforms: str | Iterable[str] = ()) -> VectorTable:
        """Return the vectors of this table after transforms."""
        from wordvec.search.transforms import transform

        return transform(self.data, transforms, derived=self.derived)

    def with_notes(self, notes: tuple[str, ...]) -> Table:
        """Return this table with other notes; what was computed is shared."""
        if notes == self.notes:
            return self
        table = Table(self.data, derived=self.derived, notes=notes, models=self._models)
        table._spaces = self._spaces
        return table

    def _row(self, word: Any) -> int:
        from wordvec.search.resolve import resolve_token

        return resolve_token(word, self.data.vocabulary)[0]

    def _weighted(self, word: str | int | tuple[str | int, float]) -> tuple[int, float]:
        if not isinstance(word, tuple):
            return self._row(word), 1.0
        if len(word) != 2 or isinstance(word[1], str) or not isfinite(word[1]):
            raise UsageError(f"expected a word and its weight, got {word!r:.60}")
        return self._row(word[0]), float(word[1])


def _as_list(words: Any) -> Sequence[Any]:
    return list(words) if isinstance(words, Iterable) and not isinstance(words, str) else [words]


def place_on_axis(
    tables: Sequence[Table],
    axis: str | Expression,
    words: Sequence[str | int] = (),
    *,
    y: str | Expression | None = None,
    **options: Unpack[AxisOptions],
) -> AxisReport:
    """Place words on an axis in several tables, as `Table.axis` does in one."""
    from wordvec.analysis.axis import axis as place
    from wordvec.analysis.axis_settings import AxisSettings

    settings = AxisSettings.of(**options)
    expressions = [parsed(one) for one in (axis, y) if one is not None]
    spaces = [table.space(settings.transforms) for table in tables]
    return place(spaces, expressions, _as_list(words), settings)


def evaluate_tables(
    tables: Sequence[Table],
    files: str | Path | Sequence[str | Path] = (),
    *,
    progress: Progress = no_progress,
    **options: Unpack[EvaluationOptions],
) -> Evaluation:
    """Measure several tables, as `Table.evaluate` does one."""
    from wordvec.analysis.evaluate import evaluate
    from wordvec.analysis.evaluation_files import read_test_sets
    from wordvec.analysis.evaluation_settings import EvaluationSettings

    settings = EvaluationSettings.of(**options)
    pairs = [(table.data, table.derived) for table in tables]
    return evaluate(pairs, read_test_sets(files), settings, progress=progress)


def check_up_tables(
    tables: Sequence[Table],
    files: str | Path | Sequence[str | Path] = (),
    *,
    progress: Progress = no_progress,
) -> CheckUps:
    """Check several tables up, as `Table.doctor` does one."""
    from wordvec.analysis.doctor import check_up

    return check_up([(table.data, table.derived) for table in tables], files, progress=progress)
