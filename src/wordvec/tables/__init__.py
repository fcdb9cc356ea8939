"""Tables: one vector per token, in memory and on disk, and a cache of what is computed from them.

Imports models, vocabulary, errors, text and progress; extraction, formats and search import it.
"""
