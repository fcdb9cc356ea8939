"""Tiny random models in Hugging Face's layout, created by the tests: nothing is downloaded.

Each function fills a folder and returns it. The vectors are random; the layout, the spelling of the
vocabulary and the order of ids are those of real models.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from transformers import PretrainedConfig

JAPANESE = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *("の", "、", "。", "王", "男", "女", "子", "国王", "女王", "王子", "王女", "王国", "王妃"),
    *("后", "姫", "父", "母", "息子", "娘", "人", "人民", "国", "島", "神", "東京", "日本"),
    *("パリ", "フランス", "イギリス", "コーヒー", "する", "した", "新しい", "古い", "犬", "猫"),
    *("山", "川", "騎士", "##王", "##女", "##男", "##子", "##国", "##騎士", "##a", "##ing"),
    *("king", "queen", "man", "woman", "km", "m", "k", "C", "C++", "BERT"),
    *("1", "2", "3", "1998", "1999", "2000", "-", "+", "++", "/", "=", "(", ")", "(「", "?", "#"),
    *("", "##\u200b", "１", "㍿"),
)
"""The vocabulary of the BERT-like models, with unusual tokens as in the reference model: an empty
one, an invisible one, operators and numbers."""

ENGLISH = ("king", "queen", "man", "woman", "child", "prince", "island", "god", "the", "of")
SENTENCES = (
    "王と女王は王国の島に住む。",
    "男と女と子供がいる。",
    "国王の息子は王子、娘は王女である。",
    "東京は日本の首都、パリはフランスの首都だ。",
    "the king and the queen of the island",
    "a man and a woman and a child",
)


def japanese_bert(folder: Path, *, vocabulary: tuple[str, ...] = JAPANESE, rows: int = 0) -> Path:
    """Write a BERT with a Japanese `vocab.txt`; its matrix has at least `rows` rows."""
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=max(rows, len(vocabulary)),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=16,
        pad_token_id=0,
    )
    write_vocab_txt(folder, vocabulary)
    return save(folder, BertModel, config)


def sharded(folder: Path) -> Path:
    """Write the same BERT with its weights in several safetensors files and an index."""
    from transformers import BertModel

    japanese_bert(folder)
    model = BertModel.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="30KB")
    return folder


def in_pytorch_format(folder: Path) -> Path:
    """Write the same BERT with its weights in `pytorch_model.bin`."""
    import torch
    from transformers import BertModel

    japanese_bert(folder)
    model = BertModel.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    return folder


def distilbert(folder: Path) -> Path:
    """Write a DistilBERT: no token types, no pooler."""
    from transformers import DistilBertConfig, DistilBertModel

    config = DistilBertConfig(
        vocab_size=len(JAPANESE),
        dim=32,
        n_layers=2,
        n_heads=4,
        hidden_dim=64,
        max_position_embeddings=16,
    )
    write_vocab_txt(folder, JAPANESE)
    return save(folder, DistilBertModel, config)


def electra(folder: Path) -> Path:
    """Write an ELECTRA: embeddings of 16 dimensions, hidden states of 32."""
    from transformers import ElectraConfig, ElectraModel

    config = ElectraConfig(
        vocab_size=len(JAPANESE),
        embedding_size=16,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=16,
    )
    write_vocab_txt(folder, JAPANESE)
    return save(folder, ElectraModel, config)


def roberta(folder: Path) -> Path:
    """Write a RoBERTa: byte-level BPE in `tokenizer.json`; <s> 0, <pad> 1, </s> 2."""
    from transformers import RobertaConfig, RobertaModel

    size = write_byte_level(
        folder, {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"}
    )
    config = RobertaConfig(
        vocab_size=size,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=18,
        type_vocab_size=1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    return save(folder, RobertaModel, config)


def modernbert(folder: Path) -> Path:
    """Write a ModernBERT: byte-level BPE with BERT's special tokens, rotary positions."""
    from transformers import ModernBertConfig, ModernBertModel

    size = write_byte_level(
        folder, {"unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "pad": "[PAD]", "mask": "[MASK]"}
    )
    config = ModernBertConfig(
        vocab_size=size,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=64,
        pad_token_id=3,
        bos_token_id=1,
        cls_token_id=1,
        eos_token_id=2,
        sep_token_id=2,
    )
    return save(folder, ModernBertModel, config)


def albert(folder: Path) -> Path:
    """Write an ALBERT with a SentencePiece model: 16 static dimensions, 32 dynamic ones."""
    from transformers import AlbertConfig, AlbertModel

    size = write_sentencepiece(
        folder / "spiece.model", ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")
    )
    _write_tokenizer_config(
        folder,
        "AlbertTokenizer",
        {"cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]", "pad": "<pad>", "unk": "<unk>"},
    )
    config = AlbertConfig(
        vocab_size=size,
        embedding_size=16,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=16,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
    )
    return save(folder, AlbertModel, config)


def deberta_v2(folder: Path) -> Path:
    """Write a DeBERTa-v2 with a SentencePiece model and relative positions."""
    from transformers import DebertaV2Config, DebertaV2Model

    size = write_sentencepiece(folder / "spm.model", ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"))
    _write_tokenizer_config(
        folder,
        "DebertaV2Tokenizer",
        {"cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]", "pad": "[PAD]", "unk": "[UNK]"},
    )
    config = DebertaV2Config(
        vocab_size=size,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=16,
        relative_attention=True,
        pos_att_type=["p2c", "c2p"],
        pad_token_id=0,
    )
    return save(folder, DebertaV2Model, config)


def gpt2(folder: Path) -> Path:
    """Write a GPT-2: a decoder, which has static vectors and no [CLS] token [SEP]."""
    from transformers import GPT2Config, GPT2Model

    size = write_byte_level(folder, {"eos": "<|endoftext|>"})
    config = GPT2Config(
        vocab_size=size,
        n_embd=32,
        n_layer=2,
        n_head=4,
        n_positions=16,
        bos_token_id=0,
        eos_token_id=0,
    )
    return save(folder, GPT2Model, config)


def t5(folder: Path) -> Path:
    """Write a T5: encoder and decoder, with a SentencePiece model."""
    from transformers import T5Config, T5Model

    size = write_sentencepiece(folder / "spiece.model", ("<pad>", "</s>", "<unk>"))
    _write_tokenizer_config(folder, "T5Tokenizer", {"eos": "</s>", "pad": "<pad>", "unk": "<unk>"})
    config = T5Config(
        vocab_size=size,
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        decoder_start_token_id=0,
    )
    return save(folder, T5Model, config)


SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}


def xlm_roberta(folder: Path) -> Path:
    """Write an XLM-RoBERTa: Unigram in `tokenizer.json`; <s> 0, <pad> 1, </s> 2."""
    from transformers import XLMRobertaConfig, XLMRobertaModel

    size = write_unigram(folder)
    config = XLMRobertaConfig(
        vocab_size=size,
        **SMALL,
        max_position_embeddings=18,
        type_vocab_size=1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    return save(folder, XLMRobertaModel, config)


def luke(folder: Path) -> Path:
    """Write a LUKE: RoBERTa with a matrix of entities beside that of words."""
    from transformers import LukeConfig, LukeModel

    size = write_byte_level(
        folder, {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"}
    )
    config = LukeConfig(
        vocab_size=size,
        entity_vocab_size=600,
        entity_emb_size=16,
        **SMALL,
        max_position_embeddings=18,
        type_vocab_size=1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    return save(folder, LukeModel, config)


def mpnet(folder: Path) -> Path:
    """Write an MPNet: WordPiece in `vocab.txt` between <s> and </s>."""
    from transformers import MPNetConfig, MPNetModel

    tokens = ("<s>", "<pad>", "</s>", "[UNK]", *JAPANESE[5:], *ENGLISH[4:], "<mask>")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", "utf-8", newline="\n")
    roles = {"cls": "<s>", "sep": "</s>", "pad": "<pad>", "unk": "[UNK]", "mask": "<mask>"}
    _write_tokenizer_config(folder, "MPNetTokenizer", roles)
    config = MPNetConfig(
        vocab_size=len(tokens),
        **SMALL,
        max_position_embeddings=18,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    return save(folder, MPNetModel, config)


def llama(folder: Path) -> Path:
    """Write a Llama: a decoder, with BPE that marks the start of a word by ▁."""
    from transformers import LlamaConfig, LlamaModel

    size = write_marked_bpe(folder)
    config = LlamaConfig(
        vocab_size=size, **SMALL, max_position_embeddings=16, bos_token_id=1, eos_token_id=2
    )
    return save(folder, LlamaModel, config)


def qwen2(folder: Path) -> Path:
    """Write a Qwen2: a decoder with byte-level BPE and padding of the matrix."""
    from transformers import Qwen2Config, Qwen2Model

    size = write_byte_level(folder, {"eos": "<|endoftext|>", "pad": "<|endoftext|>"})
    config = Qwen2Config(
        vocab_size=size + 24, **SMALL, num_key_value_heads=2, max_position_embeddings=16
    )
    return save(folder, Qwen2Model, config)


MAKERS: dict[str, Callable[[Path], Path]] = {
    "bert": japanese_bert,
    "roberta": roberta,
    "albert": albert,
    "distilbert": distilbert,
    "electra": electra,
    "deberta-v2": deberta_v2,
    "modernbert": modernbert,
    "gpt2": gpt2,
    "t5": t5,
    "xlm-roberta": xlm_roberta,
    "luke": luke,
    "mpnet": mpnet,
    "llama": llama,
    "qwen2": qwen2,
}
"""Name → the function that writes it, for `tiny_model(name)` in conftest.py."""
ENCODERS = (
    *("bert", "roberta", "albert", "distilbert", "electra", "deberta-v2", "modernbert"),
    *("xlm-roberta", "luke", "mpnet"),
)


def save(folder: Path, model_class: type, config: PretrainedConfig, *, seed: int = 0) -> Path:
    """Write config.json and model.safetensors of a random model.

    Weights have ten times the usual spread, so that tokens differ in the last layer too.
    """
    import torch

    config.initializer_range = 0.2
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = model_class(config)
    model.eval().save_pretrained(folder)
    return folder


def write_vocab_txt(folder: Path, vocabulary: tuple[str, ...]) -> None:
    """Write `vocab.txt` and a tokenizer_config.json as in the reference model."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", "utf-8", newline="\n")
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "BertJapaneseTokenizer",
            "do_lower_case": False,
            "word_tokenizer_type": "mecab",
            "subword_tokenizer_type": "wordpiece",
            "mecab_kwargs": {"mecab_dic": "ipadic"},
        },
    )


def write_byte_level(folder: Path, specials: dict[str, str]) -> int:
    """Write the `tokenizer.json` of a byte-level BPE of `SENTENCES`; return the number of tokens.

    specials: role → token, in the order of their ids.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        min_frequency=1,
        special_tokens=list(specials.values()),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    sentences = [*SENTENCES, *(f"{word} {word}" for word in ENGLISH), "王 王", "女 女"]
    tokenizer.train_from_iterator(sentences, trainer)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_tokenizer_config(folder, "PreTrainedTokenizerFast", specials)
    return int(tokenizer.get_vocab_size())


def write_unigram(folder: Path) -> int:
    """Write the `tokenizer.json` of a Unigram of `SENTENCES`, as in XLM-RoBERTa; return V."""
    from tokenizers import (
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        processors,
    )

    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    words = [f"▁{word}" for word in ENGLISH]
    characters = sorted(set("".join(SENTENCES)) - {" "})
    scores = dict.fromkeys(specials, 0.0) | {"▁": -6.0} | dict.fromkeys(words, -8.0)
    scores |= dict.fromkeys(("king", "女王", "王国", "s"), -9.0) | dict.fromkeys(characters, -10.0)
    tokenizer = Tokenizer(models.Unigram([*scores.items(), ("<mask>", 0.0)], unk_id=3))
    tokenizer.add_special_tokens([*specials, "<mask>"])
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    roles = {"cls": "<s>", "sep": "</s>", "pad": "<pad>", "unk": "<unk>", "mask": "<mask>"}
    _write_tokenizer_config(folder, "XLMRobertaTokenizer", roles)
    return int(tokenizer.get_vocab_size())


def write_marked_bpe(folder: Path) -> int:
    """Write the `tokenizer.json` of a BPE with ▁ and bytes for the rest, as in Llama 2."""
    from tokenizers import Tokenizer, decoders, models, normalizers, trainers

    specials = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    tokenizer = Tokenizer(models.BPE(unk_token=specials[0], byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=420, min_frequency=1, special_tokens=specials, show_progress=False
    )
    tokenizer.train_from_iterator([*SENTENCES, *ENGLISH], trainer)
    folder.mkdir(parents=True, exist_ok=True)
    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = data["added_tokens"][:3]  # the bytes are ordinary tokens
    _write_json(folder / "tokenizer.json", data)
    roles = {"bos": "<s>", "eos": "</s>", "unk": "<unk>"}
    _write_tokenizer_config(folder, "LlamaTokenizer", roles)
    return int(tokenizer.get_vocab_size())


def write_sentencepiece(path: Path, specials: tuple[str, ...]) -> int:
    """Write a unigram SentencePiece model of `SENTENCES`; return the number of tokens.

    specials: padding, unknown, start, end and others, as in ALBERT; or padding, end and unknown, as
    in T5.
    """
    import io

    import sentencepiece

    roles = ("pad", "unk", "bos", "eos") if len(specials) > 3 else ("pad", "eos", "unk")
    ids = {f"{role}_id": row for row, role in enumerate(roles)}
    pieces = {f"{role}_piece": token for role, token in zip(roles, specials, strict=False)}
    options: dict[str, Any] = {"bos_id": -1, **ids, **pieces}
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 4),
        model_writer=written,
        vocab_size=90,
        hard_vocab_limit=False,
        model_type="unigram",
        user_defined_symbols=list(specials[4:]),
        minloglevel=2,
        **options,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(written.getvalue())
    processor = sentencepiece.SentencePieceProcessor()
    processor.LoadFromSerializedProto(written.getvalue())
    return int(processor.GetPieceSize())


def _write_tokenizer_config(folder: Path, name: str, specials: dict[str, str]) -> None:
    roles = {f"{role}_token": token for role, token in specials.items()}
    _write_json(folder / "tokenizer_config.json", {"tokenizer_class": name, **roles})


def _write_json(path: Path, data: dict[str, object]) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=2), "utf-8")
