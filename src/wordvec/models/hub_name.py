"""The names of models on the hub: `OWNER/NAME[@REVISION][:SUBFOLDER]`.

owner/name                       the newest commit
owner/name@v1.0                  a branch, a tag or a commit
owner/name:0_Transformer         a model in a subfolder of the repository
owner/name@v1.0:0_Transformer    both
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from wordvec.errors import ModelError

# What git allows in the name of a branch or tag, see `git check-ref-format`.
_REVISION = re.compile(r"(?!/)(?!.*(?:\.\.|//|@\{))[^\s\x00-\x20\x7f~^:?*\[\\]+(?<![/.])")

_ADDRESS = re.compile(
    r"https?://[^/]+/(?:models/)?(?P<repository>[^/?#]+/[^/?#]+)"
    r"(?:/(?:tree|blob|resolve)/(?P<revision>[^/?#]+)(?P<path>[^?#]*))?"
)


def name_in_address(text: str) -> str | None:
    """Return the name of the model that an address of the hub is of, or None if it is no address.

    >>> name_in_address("https://huggingface.co/owner/name/tree/v1.0/0_Transformer")
    'owner/name@v1.0:0_Transformer'
    """
    match = _ADDRESS.match(text)
    if match is None:
        return None
    revision = match["revision"] if match["revision"] != "main" else None
    folder = (match["path"] or "").strip("/")
    if re.search(r"/(?:blob|resolve)/", text):  # of a file
        folder = folder.rpartition("/")[0]
    return str(HubName(match["repository"], revision, folder or None))


@dataclass(frozen=True, slots=True)
class HubName:
    """The parts of a name; `revision` and `subfolder` are None if the name has none."""

    repository: str
    revision: str | None = None
    subfolder: str | None = None

    @classmethod
    def parse(cls, name: str) -> Self:
        """Split a name at its first colon and at the first @ before it.

        >>> HubName.parse("owner/name@v1:0_Transformer/")
        HubName(repository='owner/name', revision='v1', subfolder='0_Transformer')
        """
        address, colon, subfolder = name.partition(":")
        repository, at, revision = address.partition("@")
        return cls(repository, revision if at else None, subfolder.rstrip("/") if colon else None)

    def __str__(self) -> str:
        revision = "" if self.revision is None else f"@{self.revision}"
        subfolder = "" if self.subfolder is None else f":{self.subfolder}"
        return f"{self.repository}{revision}{subfolder}"

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders from the root of the repository to the model."""
        return () if self.subfolder is None else tuple(self.subfolder.split("/"))

    def path_of(self, file: str) -> str:
        """Return the path of one of the model's files in the repository."""
        return "/".join((*self.folders, file))

    def check(self) -> None:
        """Raise ModelError if the revision or the subfolder cannot exist."""
        if self.revision is not None and not _REVISION.fullmatch(self.revision):
            raise ModelError(
                f"{str(self)!r}: {self.revision!r} cannot be a branch, a tag or a commit",
                hint=f'for the newest commit: model="{self.repository}"',
            )
        bad = {"", ".", ".."}.intersection(self.folders)
        if bad or "\\" in (self.subfolder or ""):
            raise ModelError(
                f"{str(self)!r}: {self.subfolder!r} cannot be a subfolder of the repository",
                hint='write it with "/", from the root of the repository: '
                f'model="{self.repository}:0_Transformer"',
            )
