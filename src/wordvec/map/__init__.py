"""Maps of a vocabulary: t-SNE positions of tokens, drawn as an HTML page or as a picture.

Imports analysis and everything below it; imported by `api` and `cli`.
"""
