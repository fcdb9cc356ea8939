"""Tables: one vector per token, in memory and on disk, and what is derived from it and kept.

Imports models, vocabulary and the ground; knows nothing of extraction or search.
"""
