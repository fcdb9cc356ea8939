"""Extraction: from a model to a saved table. The only folder that uses torch and transformers.

It imports tables, models, vocabulary and the modules below them; `api` and `cli` import it.
"""
