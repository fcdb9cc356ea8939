"""The extractor: from a model to a table. The only part that knows torch and transformers.

    checkpoint.py   the files of weights: one tensor out of them, without the model
    static.py       the word-embedding matrix (no torch, if the weights are safetensors)
    dynamic.py      every token run through the model (torch)
    linear.py       the linear layers, replaced by oneDNN's packed ones (torch)
    extraction.py   all of it together, into the store, so that it can be taken up again

torch is imported when dynamic vectors are asked for, and not before.
"""

from wordvec.extractor.extraction import BATCH_SIZE, Dtype, Outcome, Settings, extract

__all__ = ["BATCH_SIZE", "Dtype", "Outcome", "Settings", "extract"]
