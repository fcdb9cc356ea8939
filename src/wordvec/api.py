"""The Python API: open a table and ask it questions.

`open` returns a `Table`. A model that was named is used, and no
other. If none was named, it is the reference model if that has any saved table; else the bundled
model, and a note says so. The bundled model's static table is extracted when it is first opened; if
it cannot be saved, it is kept in memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from wordvec.errors import StoreError, TableNotFoundError, UsageError, WordvecError
from wordvec.expression.parser import parse
from wordvec.expression.tree import Expression
from wordvec.models.bundled import BUNDLED, has_bundled, model_alternatives
from wordvec.models.default import REFERENCE, default_model, named_model
from wordvec.models.local import canonical_name, is_folder
from wordvec.progress import Progress, no_progress
from wordvec.search.settings import QuerySettings, as_transforms, check_k
from wordvec.tables.name import Mode, TableName, TableRef
from wordvec.tables.store import Store, extract_command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Unpack

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.analysis.compare import Comparison
    from wordvec.analysis.evaluate import Evaluation
    from wordvec.analysis.explain import Explanation
    from wordvec.analysis.norms import NormsReport
    from wordvec.analysis.odd import OddOne
    from wordvec.analysis.query import Answer, QueryEngine
    from wordvec.analysis.similar import Similarities
    from wordvec.search.settings import QueryOptions
    from wordvec.search.space import Space
    from wordvec.tables.derived import Derived
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
    ) -> None:
        self.data = data
        self.derived = derived
        self.notes = notes
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
        notes = "".join(f"\nNote: {note}" for note in self.notes)
        return f"{self.name} · {V:,} × {D}{notes}"

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
            engine.prepare(_parsed(one)) for one in (expression if several else [expression])
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
        calibrated: bool = False,
        **options: Unpack[QueryOptions],
    ) -> Explanation:
        """Split the score of an answer over the words of the expression and the dimensions.

        Args:
            token: the answer; None for the first that is not a word of the expression.
            calibrated: compare the score with those of 10,000 random expressions too.
            **options: as for `query`; metric "l2", "cosine" or "dot".
        """
        from wordvec.analysis.explain import explain

        return explain(self.engine(**options), _parsed(expression), token, calibrated=calibrated)

    def norms(
        self, words: Sequence[str | int] = (), *, largest: int = 0, smallest: int = 0
    ) -> NormsReport:
        """Return the norms of words and their ranks, then the largest and smallest of all."""
        from wordvec.analysis.norms import norms

        return norms(self.data, _as_list(words), largest=largest, smallest=smallest)

    def similar(
        self,
        words: Sequence[str | int],
        *,
        metric: str = "cosine",
        transforms: str | Iterable[str] = (),
    ) -> Similarities:
        """Return the similarity of every pair of words."""
        from wordvec.analysis.similar import similar

        return similar(self.transformed(transforms), _as_list(words), metric=metric)

    def odd(self, words: Sequence[str | int], *, transforms: str | Iterable[str] = ()) -> OddOne:
        """Return the word that is least similar to the mean of the others."""
        from wordvec.analysis.odd import odd

        return odd(self.transformed(transforms), _as_list(words))

    def evaluate(
        self,
        file: str | Path | None = None,
        *,
        method: str = "add",
        metric: str | None = None,
        transforms: str | Iterable[str] = (),
        progress: Progress = no_progress,
    ) -> Evaluation:
        """Count the analogies of a file that the table answers right.

        Args:
            file: pairs or questions, see `analysis.evaluate`; None for the Japanese analogies that
                are part of the package.
            progress: called as progress(done, total) with numbers of questions.
        """
        from wordvec.analysis.evaluate import bundled_analogies, evaluate, read_analogies

        settings = QuerySettings.of(method=method, metric=metric, transforms=transforms)
        analogies = read_analogies(Path(file) if file else bundled_analogies())
        space = self.space(settings.all_transforms)
        return evaluate(space, analogies, settings, progress=progress)

    def engine(
        self, *, progress: Progress = no_progress, **options: Unpack[QueryOptions]
    ) -> QueryEngine:
        """Return a query engine with these options, for many questions in a row."""
        return self.engine_for(QuerySettings.of(**options), progress=progress)

    def engine_for(
        self, settings: QuerySettings, *, progress: Progress = no_progress
    ) -> QueryEngine:
        """Return a query engine with these settings."""
        from wordvec.analysis.query import QueryEngine

        space = self.space(settings.all_transforms)
        return QueryEngine(space, settings, progress=progress)

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
        table = Table(self.data, derived=self.derived, notes=notes)
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


def _parsed(expression: str | Expression) -> Expression:
    return expression if isinstance(expression, Expression) else parse(expression)


def open(  # noqa: A001  # the public name is `wordvec.open`
    name: str | TableRef = "static", *, store: Store | str | Path | None = None
) -> Table:
    """Open a saved table.

    Args:
        name: `[MODEL:]MODE`, such as "mini:static", "dynamic" (of the default model) or
            "owner/name:static".
        store: the folder of saved tables; None for WORDVEC_HOME or the user's cache folder.

    Raises:
        TableNotFoundError: if the table has not been extracted; the hint is the command to do so.
    """
    return OpenTables(_as_store(store)).open(name)


def compare(
    tables: Sequence[str | Table],
    expression: str | Expression,
    *,
    store: Store | str | Path | None = None,
    **options: Unpack[QueryOptions],
) -> Comparison:
    """Compare the answers of several tables to one expression.

    Args:
        tables: names as for `open`, or open tables.
        store: as for `open`.
        **options: as for `Table.query`.
    """
    from wordvec.analysis.compare import compare as compare_engines

    if isinstance(tables, str):
        shown = f"{tables!r:.60}"
        raise UsageError(f"expected a list of tables, got {shown}", hint=f"[{shown}, …]")
    opener = OpenTables(_as_store(store))
    opened = [one if isinstance(one, Table) else opener.open(one) for one in tables]
    settings = QuerySettings.of(**options)
    engines = [table.engine_for(settings) for table in opened]
    return compare_engines(engines, _parsed(expression))


def extract(  # noqa: PLR0913  # one keyword for each option of `wordvec extract`
    model: str | None = None,
    *,
    mode: str = "static",
    store: Store | str | Path | None = None,
    device: str = "auto",
    dtype: str = "float32",
    batch_size: int = 512,
    force: bool = False,
    progress: Progress = no_progress,
) -> Table:
    """Extract the word vectors of a model, save them, and open the table.

    Args:
        model: a hub id, a folder or "mini"; None for the default model.
        mode: "static" or "dynamic".
        store: as for `open`.
        device: "auto", "cpu", "cuda" or "mps".
        dtype: what the linear layers compute in, "float32" or "bfloat16".
        batch_size: tokens per forward pass.
        force: replace a table that has been saved.
        progress: called as progress(done, total) with numbers of tokens.
    """
    from wordvec.extraction.extract import extract as extract_to_store

    opened = OpenTables(_as_store(store))
    result = extract_to_store(
        model,
        mode,
        opened.store,
        device=device,
        dtype=dtype,
        batch_size=batch_size,
        force=force,
        progress=progress,
    )
    return opened.open(TableRef(result.table.model, result.table.mode, result.table.layer))


def _as_store(store: Store | str | Path | None) -> Store:
    return store if isinstance(store, Store) else Store(store)


class OpenTables:
    """Opens the tables of a store and keeps them open, with what was computed from them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._open: dict[TableName, Table] = {}

    def open_all(self, refs: Sequence[TableRef]) -> list[Table]:
        """Open several tables; a note about all of them is given once, with the first.

        If the bundled model is used, the note names one command for the tables of the reference
        model: `extract --mode dynamic` saves the static table too.
        """
        dynamic = any(ref.mode is Mode.DYNAMIC for ref in refs)
        tables: list[Table] = []
        seen: set[str] = set()
        for ref in refs:
            table = self.open(ref, suggested_mode=Mode.DYNAMIC if dynamic else Mode.STATIC)
            notes = tuple(note for note in table.notes if note not in seen)
            seen.update(notes)
            tables.append(table.with_notes(notes))
        return tables

    def open(self, ref: TableRef | str, *, suggested_mode: Mode | None = None) -> Table:
        """Open one table.

        suggested_mode: the mode to suggest to a user who has no table of the reference model.
        """
        ref = ref if isinstance(ref, TableRef) else TableRef.parse(ref)
        name, notes = resolve_name(ref, self.store, suggested_mode=suggested_mode)
        known = self._open.get(name)
        if known is not None and self._is_current(known):
            return known.with_notes(notes)
        table = self._read(ref, name)
        self._open[name] = table
        return table.with_notes((*notes, *table.notes))

    def _is_current(self, table: Table) -> bool:
        """Whether the saved table is still the one that was opened."""
        if table.name not in self.store:
            return not table.data.provenance.checksum  # in memory only
        return self.store.provenance(table.name) == table.data.provenance

    def _read(self, ref: TableRef, name: TableName) -> Table:
        if name == TableName(BUNDLED, Mode.STATIC) and name not in self.store and has_bundled():
            from wordvec.extraction.extract import ensure_static, read_static_table
            from wordvec.models.find import find_model

            source = find_model(BUNDLED)
            try:
                ensure_static(source, self.store)
            except StoreError as error:  # a read-only folder must not prevent questions
                note = f"{error.message}; {name} is kept in memory and not saved"
                return Table(read_static_table(source), notes=(note,))
        try:
            data = self.store.open(name)
        except TableNotFoundError as error:
            raise TableNotFoundError(error.message, hint=_suggestion(ref, name)) from None
        return Table(data, derived=self.store.derived(data))


def _suggestion(ref: TableRef, name: TableName) -> str:
    """Return what to type if a table is missing: extract it, or ask another model."""
    named = named_model(ref.model)
    if named is None and name.model == REFERENCE:
        return f"wordvec extract --mode {name.mode}"
    if named is None:  # the bundled model is used
        reference = extract_command(replace(name, model=REFERENCE))
        return f"{extract_command(name)}\nfor the reference model: {reference}"
    if name.model == BUNDLED:
        return extract_command(name)
    if is_folder(named) and not Path(name.model).is_dir():
        return f"there is no folder {named} either; use {model_alternatives()}"
    return f"{extract_command(name)}\nor use {model_alternatives()}"


def resolve_name(
    ref: TableRef, store: Store, *, suggested_mode: Mode | None = None
) -> tuple[TableName, tuple[str, ...]]:
    """Return the name of the table that a reference means, and notes on the choice."""
    model = named_model(ref.model)
    if model is not None:
        return TableName(canonical_name(model), ref.mode, ref.layer), ()
    name = TableName(REFERENCE, ref.mode, ref.layer)
    saved = any(replace(name, mode=mode) in store for mode in Mode)
    if default_model(reference_is_saved=saved) == REFERENCE:
        return name, ()
    command = extract_command(replace(name, mode=suggested_mode or ref.mode))
    note = (
        f'{REFERENCE} has not been extracted; using the bundled model "{BUNDLED}" '
        f"(to extract it: {command})"
    )
    return replace(name, model=BUNDLED), (note,)
