"""The Python API: open a table and ask it questions.

`open` returns a `Table`. A model that was named is used, and no
other. If none was named, it is the reference model if that has any saved table; else the bundled
model, and a note says so. The bundled model's static table is extracted when it is first opened; if
it cannot be saved, it is kept in memory.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wordvec.context import ContextModels
from wordvec.errors import StoreError, TableNotFoundError, UsageError, as_path
from wordvec.expression.parser import parsed
from wordvec.models.bundled import BUNDLED, has_bundled
from wordvec.progress import Notify, Progress, ignore_note, no_progress
from wordvec.search.settings import QuerySettings, split_transforms
from wordvec.table import Table, check_up_tables, evaluate_tables, place_on_axis
from wordvec.tables.name import Mode, TableName, TableRef
from wordvec.tables.resolve import missing_table_hint, resolve_name
from wordvec.tables.store import Store

__all__ = [
    "OpenTables",
    "Table",
    "axis",
    "compare",
    "doctor",
    "evaluate",
    "extract",
    "import_vectors",
    "open",
    "trace",
]

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Unpack

    from wordvec.analysis.axis_report import AxisReport
    from wordvec.analysis.axis_settings import AxisOptions
    from wordvec.analysis.check_up import CheckUps
    from wordvec.analysis.compare import Comparison
    from wordvec.analysis.evaluation import Evaluation
    from wordvec.analysis.evaluation_settings import EvaluationOptions
    from wordvec.analysis.trace import Trace
    from wordvec.expression.tree import Expression
    from wordvec.search.settings import QueryOptions


def open(  # noqa: A001  # the public name is `wordvec.open`
    name: str | TableRef = "static", *, store: Store | str | Path | None = None
) -> Table:
    """Open a saved table.

    Args:
        name: `[MODEL:]MODE[.VARIANT][@LAYER]`, such as "mini:static", "dynamic" (of the default
            model), "owner/name:dynamic@4" or "mini:dynamic.short".
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
        tables: names as for `open`, with transforms after a plus if these differ ("static+unit"),
            or open tables.
        store: as for `open`.
        **options: as for `Table.query`.
    """
    from wordvec.analysis.compare import compare as compare_engines

    settings = QuerySettings.of(**options)
    names, steps = _with_transforms(tables)
    pairs = zip(_opened(names, store), steps, strict=True)
    engines = [table.engine_for(settings, own) for table, own in pairs]
    return compare_engines(engines, parsed(expression))


def axis(  # noqa: PLR0913  # the question, and where it is asked
    tables: Sequence[str | Table],
    axis: str | Expression,
    words: Sequence[str | int] = (),
    *,
    y: str | Expression | None = None,
    store: Store | str | Path | None = None,
    png: str | Path | None = None,
    svg: str | Path | None = None,
    **options: Unpack[AxisOptions],
) -> AxisReport:
    """Order words along an axis in several tables, side by side.

    Args:
        tables: names as for `open`, or open tables.
        axis: the direction, as for `Table.axis`.
        words: the words to place.
        y: a second axis, for a scatter.
        store: as for `open`.
        png, svg: files to draw them in; need the extra `map`.
        **options: as for `Table.axis`.
    """
    report = place_on_axis(_opened(tables, store), axis, words, y=y, **options)
    for kind, file in (("png", png), ("svg", svg)):
        if file is not None:
            from wordvec.map.axes import draw_axis

            draw_axis(report, as_path(file, kind), file_format=kind)
    return report


def evaluate(
    tables: Sequence[str | Table],
    files: str | Path | Sequence[str | Path] = (),
    *,
    store: Store | str | Path | None = None,
    progress: Progress = no_progress,
    **options: Unpack[EvaluationOptions],
) -> Evaluation:
    """Measure several tables on analogies and word similarity, and compare them.

    Args:
        tables: names as for `open`, or open tables.
        files: as for `Table.evaluate`.
        store: as for `open`.
        progress: called as progress(done, total) with numbers of questions.
        **options: as for `Table.evaluate`.
    """
    return evaluate_tables(_opened(tables, store), files, progress=progress, **options)


def doctor(
    tables: Sequence[str | Table],
    files: str | Path | Sequence[str | Path] = (),
    *,
    store: Store | str | Path | None = None,
    progress: Progress = no_progress,
) -> CheckUps:
    """Check the spaces of several tables up, and say which answers analogies best.

    Args:
        tables: names as for `open`, or open tables.
        files: as for `Table.doctor`.
        store: as for `open`.
        progress: called as progress(done, total) with numbers of steps.
    """
    return check_up_tables(_opened(tables, store), files, progress=progress)


def _with_transforms(
    tables: Sequence[str | Table],
) -> tuple[Sequence[str | Table], list[tuple[str, ...]]]:
    """Return tables or their names, and for each the transforms that were named with it."""
    if isinstance(tables, str):
        return tables, []
    split = [split_transforms(one) if isinstance(one, str) else (one, ()) for one in tables]
    return [one for one, _ in split], [steps for _, steps in split]


def _opened(tables: Sequence[str | Table], store: Store | str | Path | None) -> list[Table]:
    if isinstance(tables, str):
        shown = f"{tables!r:.60}"
        raise UsageError(f"expected a list of tables, got {shown}", hint=f"[{shown}, …]")
    opener = OpenTables(_as_store(store))
    return [one if isinstance(one, Table) else opener.open(one) for one in tables]


def trace(  # noqa: PLR0913  # the question, and where it is asked
    expression: str | Expression,
    token: str | int,
    *,
    model: str | None = None,
    tables: Sequence[str | Table] = (),
    store: Store | str | Path | None = None,
    png: str | Path | None = None,
    **options: Unpack[QueryOptions],
) -> Trace:
    """Find the rank and the similarity of an answer in the static table and in every layer.

    Args:
        expression: the question, such as "王-男+女".
        token: the answer to follow: "女王", "#1234" or its id.
        model: the model whose tables are traced, all that are saved; None for the default model.
        tables: other tables: as for `compare`.
        store: as for `open`.
        png: a file to draw the curves in; needs the extra `map`.
        **options: as for `Table.query`.
    """
    from wordvec.analysis.trace import trace as trace_engines

    opener = OpenTables(_as_store(store))
    settings = replace(QuerySettings.of(**options), k=1)
    found, steps = _with_transforms(tables)
    opened = [
        one if isinstance(one, Table) else opener.open_all(opener.refs([one], model))[0]
        for one in found
    ]
    if not opened:
        opened = opener.open_all(opener.refs((), model))
    pairs = zip(opened, steps or [()] * len(opened), strict=True)
    engines = [table.engine_for(settings, own) for table, own in pairs]
    traced = trace_engines(engines, parsed(expression), token)
    if png is not None:
        from wordvec.map.curves import draw_trace

        draw_trace(traced, as_path(png, "png"))
    return traced


def extract(  # noqa: PLR0913  # one keyword for each option of `wordvec extract`
    model: str | Path | None = None,
    *,
    mode: str = "static",
    variant: str | None = None,
    layers: str | int | Iterable[int] | None = None,
    pool: str = "token",
    templates: str | Iterable[str] = (),
    corpus: str | Path | Iterable[str | Path] = (),
    field: str | None = None,
    per_token: int = 100,
    min_count: int = 5,
    sentences: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    store: Store | str | Path | None = None,
    device: str = "auto",
    dtype: str = "float32",
    force_dtype: bool = False,
    batch_size: int = 512,
    force: bool = False,
    progress: Progress = no_progress,
) -> Table:
    """Extract the word vectors of a model, save them, and open the table.

    Of several layers, the table of the highest is returned; `open("mini:dynamic@0")` opens another.

    Args:
        model: a folder, "mini", or a name on the hub: "OWNER/NAME[@REVISION][:SUBFOLDER]"; None for
            the default model.
        mode: "static", "dynamic" or "contextual".
        variant: keeps the tables beside others of the same mode: "mini:dynamic.VARIANT".
        layers: of dynamic and contextual vectors: "all" or numbers, one table for each; 0 is the
            output of the embedding block. None for the last layer.
        pool: how the hidden states of a sentence become one vector: "token", "mean", "mean-all" (as
            in model2vec) or "cls".
        templates: sentences with {} in the place of the token ("{}という言葉"); the vector is the
            mean over them. Without any, the token stands alone.
        corpus: of contextual vectors: text files, folders, or data sets "hf:OWNER/NAME[:CONFIG]".
        field: the field with the text, if the corpus is JSON lines or a data set.
        per_token: occurrences of a token whose mean is taken, at most; a sample of all.
        min_count: a token that is seen fewer times has no vector.
        sentences: read only the first sentences.
        seed: of the sample.
        workers: processes that cut text, 0 for none; None for one for each core. A script that
            starts processes needs `if __name__ == "__main__":`.
        store: as for `open`.
        device: "auto", "cpu", "cuda" or "mps".
        dtype: what the linear layers compute in, "float32", "bfloat16" or "auto", the faster one.
        force_dtype: compute in `dtype` even where it is slower than float32.
        batch_size: tokens per forward pass.
        force: replace tables that have been saved.
        progress: called as progress(done, total) with numbers of tokens.
    """
    from wordvec.extraction.extract import extract as extract_to_store

    opened = OpenTables(_as_store(store))
    notes: list[str] = []
    result = extract_to_store(
        model if isinstance(model, str | None) else str(as_path(model, "model")),
        mode,
        opened.store,
        variant=variant,
        layers=layers,
        pool=pool,
        templates=templates,
        corpus=corpus,
        field=field,
        per_token=per_token,
        min_count=min_count,
        sentences=sentences,
        seed=seed,
        workers=workers,
        device=device,
        dtype=dtype,
        force_dtype=force_dtype,
        batch_size=batch_size,
        force=force,
        notify=notes.append,
        progress=progress,
    )
    table = opened.open(TableRef.of(result.table))
    return table.with_notes((*notes, *table.notes))


def import_vectors(  # noqa: PLR0913  # one keyword for each option of `wordvec import`
    file: str | Path,
    name: str | None = None,
    *,
    mode: str | None = None,
    variant: str | None = None,
    model: str | None = None,
    file_format: str | None = None,
    tokens: str | Path | None = None,
    limit: int | None = None,
    skip_bad: bool = False,
    store: Store | str | Path | None = None,
    force: bool = False,
    progress: Progress = no_progress,
) -> Table:
    """Save the vectors of a file of another program, and open the table `NAME:static`.

    Args:
        file: the file or folder; its content says the format.
        name: the name of the table; None for that of the file without suffixes.
        mode: "static" or "dynamic"; None for "static", or "dynamic" with a model.
        variant: keeps the table beside others of the same name, as `NAME:static.VARIANT`.
        model: the model of a pickled `{id: vector}`; it gives the tokens and the name.
        file_format: the name of a format, if the content does not say it.
        tokens: a text file with one token per line, for vectors without tokens.
        limit: read only the first vectors.
        skip_bad: leave broken lines out; a note counts them.
        store: as for `open`.
        force: replace a table that has been saved.
        progress: called as progress(done, total) with numbers of vectors.
    """
    from wordvec.formats.import_table import import_vectors as import_to_store

    opened = OpenTables(_as_store(store))
    result = import_to_store(
        as_path(file, "file"),
        opened.store,
        name=name,
        mode=mode,
        variant=variant,
        model=model,
        file_format=file_format,
        tokens=None if tokens is None else as_path(tokens, "tokens"),
        limit=limit,
        skip_bad=skip_bad,
        force=force,
        progress=progress,
    )
    return Table(result.table, derived=opened.store.derived(result.table), notes=result.notes)


def _as_store(store: Store | str | Path | None) -> Store:
    if isinstance(store, Store):
        return store
    return Store(None if store is None else as_path(store, "store"))


class OpenTables:
    """Opens the tables of a store and keeps them open, with what was computed from them."""

    def __init__(self, store: Store, status: Notify = ignore_note) -> None:
        """status: called with what is being loaded, which takes seconds for a model."""
        self.store = store
        self._models = ContextModels(status)
        self._open: dict[TableName, Table] = {}

    def open_all(self, refs: Sequence[TableRef]) -> list[Table]:
        """Open several tables; a note about all of them is given once, with the first."""
        tables: list[Table] = []
        seen: set[str] = set()
        for ref in refs:
            table = self.open(ref)
            notes = tuple(note for note in table.notes if note not in seen)
            seen.update(notes)
            tables.append(table.with_notes(notes))
        return tables

    def refs(self, names: Sequence[str], model: str | None) -> list[TableRef]:
        """Return the named tables, or if there are no names all tables of a model.

        The static table comes first, then the others, the last layer at the end.
        """
        if names:
            refs = map(TableRef.parse, names)
            return [replace(ref, model=ref.model or model) for ref in refs]
        static = TableRef(model, Mode.STATIC)
        resolved, _ = resolve_name(static, self.store)
        others = [name for name in self.store.names(resolved.model) if name.kind != Mode.STATIC]
        others.sort(
            key=lambda name: (name.mode.has_layers, name.mode, name.variant or "",
                              sys.maxsize if name.layer is None else name.layer)
        )  # fmt: skip
        first = [static] if resolved in self.store or not others else []
        if resolved.model == BUNDLED and has_bundled():
            first = [static]
        return [*first, *(replace(TableRef.of(name), model=model) for name in others)]

    def open(self, ref: TableRef | str) -> Table:
        """Open one table."""
        ref = ref if isinstance(ref, TableRef) else TableRef.parse(ref)
        name, notes = resolve_name(ref, self.store)
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
        try:
            return self.store.provenance(table.name) == table.data.provenance
        except StoreError:  # damaged, or removed meanwhile: opening it says so
            return False

    def _read(self, ref: TableRef, name: TableName) -> Table:
        if name == TableName(BUNDLED, Mode.STATIC) and name not in self.store and has_bundled():
            from wordvec.extraction.static_table import ensure_static, read_static_table
            from wordvec.models.find import find_model

            source = find_model(BUNDLED)
            try:
                ensure_static(source, self.store)
            except StoreError as error:  # a read-only folder must not prevent questions
                note = f"{error.message}; {name} is kept in memory and not saved"
                return Table(read_static_table(source), notes=(note,), models=self._models)
        try:
            data = self.store.open(name)
        except TableNotFoundError as error:
            hint = missing_table_hint(ref, name, self.store)
            raise TableNotFoundError(error.message, hint=hint) from None
        return Table(data, derived=self.store.derived(data), models=self._models)
