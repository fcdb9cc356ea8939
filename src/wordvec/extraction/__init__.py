"""Extraction: model → table. The only folder that knows torch and transformers.

Imports tables, models, vocabulary and the ground.
"""
