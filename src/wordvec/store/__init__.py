"""The store: tables on disk, as npy and JSON; see `layout` for what lies where."""

from wordvec.store.derived import Derived
from wordvec.store.draft import Draft
from wordvec.store.tables import Store, TableInfo, default_root, extract_command

__all__ = ["Derived", "Draft", "Store", "TableInfo", "default_root", "extract_command"]
