"""Vocabulary: the tokens of a model and their rows, read from its own files, without MeCab.

`spelling`: how models mark words. `lookup`: finding words. `folder`: reading a model's folder, with
`settings` (its small JSON files) and `token_files`. Imports only errors and text.
"""
