"""The format of a file by its content; files of other formats are named."""

from __future__ import annotations

import gzip
import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from wordvec.errors import StoreError
from wordvec.formats.detect import detect_format


def zip_of(*names: str) -> bytes:
    """Return a zip archive with files of these names."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return file.getvalue()


def npy() -> bytes:
    """Return an .npy file."""
    file = io.BytesIO()
    np.save(file, np.ones((2, 2), np.float32))
    return file.getvalue()


ROWS = np.random.default_rng(0).standard_normal((3, 5)).astype("<f4")
BINARY = b"3 5\n" + b"".join(b"w%d " % i + row.tobytes() for i, row in enumerate(ROWS))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"3 2\na 1 2\nb 1 2\nc 1 2\n", "word2vec"),
        (b"a 1 2\nb 1 2\n", "word2vec"),
        (b"a 0.5\n", "word2vec"),
        (b"a,b 1 2\nc,d 3 4\n", "word2vec"),
        (b"a\t1 2\nb\t3 4\n", "word2vec"),
        (BINARY, "word2vec-binary"),
        (b"1 1\na \0\0\x80\x3f", "word2vec-binary"),
        (b"a,1,2\nb,3,4\n", "csv"),
        (b"word,0,1\na,1,2\n", "csv"),
        (b'word,vector\na,"[1, 2]"\n', "csv"),
        (b"a\t1\t2\nb\t3\t4\n", "tsv"),
        (npy(), "npy"),
        (zip_of("a.npy", "b.npy"), "npz"),
        (pickle.dumps({0: ROWS[0]}), "pickle"),
        (pickle.dumps({0: ROWS[0]}, 0), "pickle"),
        (pickle.dumps({0: ROWS[0]}, 1), "pickle"),
        (b"\x80\x04\x95" + bytes(8) + b"\x8c\x1cgensim.models.keyedvectors", "gensim"),
        (b"PAR1\x15\x04", "parquet"),
        (b"ARROW1\0\0", "arrow"),
        (b"FiFu\0\0\0\0", "finalfusion"),
        (b'\x10\0\0\0\0\0\0\0{"a":{"dtype":1}}', "safetensors"),
    ],
)  # fmt: skip
def test_each_format_is_known_by_its_content(data: bytes, expected: str, tmp_path: Path) -> None:
    (tmp_path / "x.dat").write_bytes(data)
    assert detect_format(tmp_path / "x.dat") == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x89HDF\r\n\x1a\n", "looks like HDF5$"),
        (b"GGUF\3\0\0\0", "looks like GGUF, a language model of llama.cpp$"),
        (b"\x08\x07\x12\x07pytorch\x1a\x031.9", "looks like ONNX$"),
        (zip_of("archive/data.pkl", "archive/data/0"), "looks like a zip archive of torch.save$"),
        (zip_of("a.txt", "b.txt"), "looks like a zip archive of 2 files$"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "looks like a file of torch.save$"),
        (b"%PDF-1.7", "looks like PDF$"),
        (b"<!DOCTYPE html>\n<html>", "looks like an HTML page$"),
        (b"\n <HTML lang=en>", "looks like an HTML page$"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "looks like a git-lfs pointer, not"),
        (b"\xba\x16\x4f\x2f\x0c\0\0\0", "looks like a model of fastText$"),
        (b'{"a": [1, 2]}', "looks like JSON$"),
        ("王 1 2\n".encode("utf-16"), "looks like UTF-16 text$"),
        (gzip.compress(b"<html>"), r"looks like an HTML page \(gzip of it\)$"),
        (gzip.compress(npy()), "is npy compressed by gzip$"),
        (gzip.compress(b""), r"is empty after decompression \(gzip\)$"),
        (b"", "is empty$"),
        (b"PK\x03\x04broken", "is a damaged zip archive: "),
        (b"\x01\x02\x03\x00\x05", "is binary data of a format that is not known$"),
        (b"Call me Ishmael.\nSome years ago\n", 'is not vectors: line 1 is "Call me Ishmael."$'),
    ],
)  # fmt: skip
def test_other_files_are_named(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(data)
    with pytest.raises(StoreError, match=f"x.bin {message}") as error:
        detect_format(tmp_path / "x.bin")
    assert "pickle," not in error.value.message


def test_folders_are_known_by_their_files(tmp_path: Path) -> None:
    for files, expected in (
        (("vectors.tsv", "metadata.tsv"), "projector"),
        (("meta.json", "vocab/vectors", "vocab/key2row"), "spacy"),
    ):
        folder = tmp_path / expected
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).touch()
        assert detect_format(folder) == expected
    static = tmp_path / "static"
    static.mkdir()
    (static / "tokenizer.json").touch()
    save_file({"embeddings": np.ones((2, 3), np.float32)}, static / "model.safetensors")
    assert detect_format(static) == "model2vec"
    (tmp_path / "bert").mkdir()
    with pytest.raises(StoreError, match="bert is a folder without vectors"):
        detect_format(tmp_path / "bert")
    for file in ("config.json", "tokenizer.json"):
        (tmp_path / "bert" / file).touch()
    matrix = {"bert.embeddings.word_embeddings.weight": np.ones((2, 3), np.float32)}
    save_file(matrix, tmp_path / "bert/model.safetensors")
    with pytest.raises(StoreError, match="bert is the folder of a model") as error:
        detect_format(tmp_path / "bert")
    assert str(error.value.hint).startswith("wordvec extract --model ")


def test_a_missing_file_is_an_error_about_the_path(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot read .*missing \(No such file") as error:
        detect_format(tmp_path / "missing")
    assert error.value.hint is None
