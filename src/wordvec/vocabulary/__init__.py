"""Vocabulary: which token is which row, read from the model's own files, without MeCab.

`spelling` knows how models mark words, `lookup` finds words, `folder` reads a model's folder.
Imports the ground alone.
"""
