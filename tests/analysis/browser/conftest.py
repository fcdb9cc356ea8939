"""The fixtures that start Chromium."""

from support.browser import chromium, context

__all__ = ["chromium", "context"]
