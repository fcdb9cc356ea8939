"""What extractions of dynamic and contextual vectors share: one model, one table for each layer.

The tables are written side by side, each with a record of the settings that its rows depend on, so
that an extraction can be interrupted at any time and resumed.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from wordvec.errors import MissingExtraError, WordvecError
from wordvec.extraction.checkpoint import one_line
from wordvec.extraction.rows import fit_vocabulary
from wordvec.extraction.saved import check_saved, layer_names, make_provenance
from wordvec.extraction.settings import Dtype
from wordvec.progress import ignore_note, no_progress
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import torch

    from wordvec.extraction.saved import SavedTable
    from wordvec.extraction.settings import ExtractionSettings, Layers
    from wordvec.models.source import ModelSource
    from wordvec.progress import Notify, Progress
    from wordvec.tables.draft import Draft
    from wordvec.tables.name import TableName
    from wordvec.tables.store import Store
    from wordvec.vocabulary.lookup import Vocabulary


@dataclass(frozen=True, slots=True)
class Request:
    """What to extract. name: of the table of the last layer."""

    source: ModelSource
    name: TableName
    layers: Layers
    settings: ExtractionSettings
    force: bool


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What an extraction calls for the user.

    status: with what is being done now. detail: with what was decided, for those who ask.
    """

    notify: Notify = ignore_note
    progress: Progress = no_progress
    status: Notify = ignore_note
    detail: Notify = ignore_note


@dataclass(frozen=True, slots=True)
class LayerTables:
    """The tables of a request.

    names: by the number of the layer. saved: those that exist. widths: D of every layer.
    """

    names: dict[int, TableName]
    saved: dict[TableName, SavedTable]
    widths: Sequence[int]

    @classmethod
    def find(cls, request: Request, store: Store, widths: Sequence[int]) -> LayerTables:
        """Find out which tables of a request exist.

        Raises:
            UsageError: the model has no such layer.
            StoreError: one exists, and was extracted with other settings.
        """
        names = layer_names(request.name, request.layers, len(widths) - 1)
        saved = {}
        if not request.force:
            saved = check_saved(store, names.values(), request.settings, request.source)
        return cls(names, saved, widths)

    @property
    def missing(self) -> dict[int, TableName]:
        """The tables that are still to be extracted."""
        return {number: name for number, name in self.names.items() if name not in self.saved}

    @property
    def numbers(self) -> list[int] | None:
        """The layers that are still to be extracted; None for the last layer alone."""
        missing = [*self.missing]
        return None if missing == [len(self.widths) - 1] else missing


def load_model(request: Request, calls: Callbacks) -> tuple[torch.nn.Module, Vocabulary]:
    """Load a model on the CPU, and the tokens that have a row in its matrix."""
    calls.status("loading torch")
    check_torch_loads()
    from wordvec.extraction.encoder import load_encoder, matrix_rows

    calls.status(f"loading {request.source.name}")
    folder = request.source.folder
    vocabulary = read_vocabulary(folder)
    encoder = load_encoder(request.source)
    fitted = fit_vocabulary(vocabulary, matrix_rows(encoder), folder)
    for note in fitted.notes:
        calls.notify(note)
    return encoder, fitted.vocabulary


def prepare_model(
    encoder: torch.nn.Module,
    request: Request,
    rows: int,
    records: Iterable[Mapping[str, Any]],
    calls: Callbacks,
) -> tuple[Request, dict[str, object]]:
    """Prepare the model for its device.

    rows: positions of a batch. records: of interrupted extractions of the same tables.
    Returns the request with the dtype that was chosen, and how the model is run, on which its
    results depend.
    """
    from wordvec.extraction import dynamic
    from wordvec.extraction.encoder import describe_device, find_device
    from wordvec.extraction.linear import name_of

    settings = request.settings
    recorded = _recorded_way(records, settings)
    way, reason = dynamic.prepare(encoder, settings, rows, recorded=recorded)
    calls.detail(f"linear layers: {reason}")
    chosen = replace(request, settings=replace(settings, dtype=Dtype(name_of(way.dtype))))
    device = describe_device(find_device(settings.device))
    return chosen, {**device, "linear": way.product.value}


@contextmanager
def open_drafts(
    request: Request,
    store: Store,
    tables: LayerTables,
    vocabulary: Vocabulary,
    run: dict[str, object],
) -> Iterator[list[Draft]]:
    """Lock the missing tables and open a draft of each, in the order of the layers."""
    settings = request.settings
    provenance = replace(
        make_provenance(request.source, request.name.mode, settings.dtype, "torch", "transformers"),
        variant=request.name.variant,
        layers=len(tables.widths) - 1,
        parameters=settings.parameters,
    )
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                store.draft(
                    replace(provenance, layer=name.layer),
                    vocabulary,
                    tables.widths[number],
                    run,
                    force=request.force,
                )
            )
            for number, name in tables.missing.items()
        ]


def notify_restart(reasons: Iterable[str | None], notify: Notify) -> None:
    """Say why rows of an interrupted extraction were dropped, if they were."""
    for reason in dict.fromkeys(filter(None, reasons)):
        notify(f"cannot resume the interrupted extraction ({reason}); starting over")


def _recorded_way(
    records: Iterable[Mapping[str, Any]], settings: ExtractionSettings
) -> tuple[object, object]:
    """Return dtype and product of an interrupted extraction with the same dtype, if any."""
    for record in records:
        before = record.get("settings")
        same = settings.dtype in (Dtype.AUTO, record.get("dtype"))
        if same and isinstance(before, dict) and before.get("linear") is not None:
            return record.get("dtype"), before["linear"]
    return None, None


def require_torch(what: str) -> None:
    """Check that torch and transformers are installed, without loading them: that takes seconds.

    what: needs them, for the message.
    """
    from importlib.util import find_spec

    for package in ("torch", "transformers"):
        if find_spec(package) is None:
            raise MissingExtraError(what, extra="extract", package=package)


def check_torch_loads() -> None:
    """Load torch, or raise WordvecError if it is installed but broken."""
    try:
        import torch  # noqa: F401
    except (ImportError, OSError) as error:  # a shared library is missing
        raise WordvecError(
            f"torch is installed, but cannot be loaded: {one_line(error)}",
            hint="pip install --force-reinstall torch",
        ) from error
