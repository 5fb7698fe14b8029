"""Sentence embeddings from PyTorch's model as it is: exported, compiled, compared.

    Examples/Embeddings/fetch.sh                        # the model, 91 MB, to out/minilm
    python Examples/embeddings.py                       # compiles it and compares with PyTorch
    python Examples/embeddings.py --export minilm.pt2   # only writes PyTorch's program
    ait compile minilm.pt2 -o minilm.so                 # which needs no Python any more

Needs torch, transformers and tokenizers; compiling needs the package of `make python`. The library
has the inputs `input_ids` and `attention_mask`, of any batch up to 64 and length up to 256, and so
serves the Swift example too: `Embeddings nearest --library minilm.so`.
"""

import argparse
import time

import torch
from tokenizers import BertWordPieceTokenizer
from transformers import BertModel


class SentenceModel(torch.nn.Module):
    """BERT, the mean of what it says of each token, and a vector of length 1."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.bert = BertModel.from_pretrained(folder, add_pooling_layer=False)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        encoded = self.bert(input_ids, attention_mask=attention_mask).last_hidden_state
        weights = attention_mask.unsqueeze(-1).to(encoded.dtype)
        mean = (encoded * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
        return torch.nn.functional.normalize(mean, p=2, dim=1)


def export(model: torch.nn.Module) -> torch.export.ExportedProgram:
    """The model's program, for any batch and length within bounds."""
    sizes = {0: torch.export.Dim("batch", max=64), 1: torch.export.Dim("tokens", min=2, max=256)}
    ids = torch.randint(1000, 2000, (3, 17))
    with torch.no_grad():
        return torch.export.export(
            model, (ids, torch.ones_like(ids)), dynamic_shapes=(sizes, sizes), strict=False
        )


def encode(tokenizer, lines, run):
    """The embeddings of lines, 32 at a time, the short ones first."""
    order = sorted(range(len(lines)), key=lambda index: len(lines[index]))
    rows = [torch.empty(0)] * len(lines)
    for start in range(0, len(order), 32):
        part = order[start : start + 32]
        batch = tokenizer.encode_batch([lines[index] for index in part])
        ids = torch.tensor([each.ids for each in batch])
        mask = torch.tensor([each.attention_mask for each in batch])
        for index, row in zip(part, run(ids, mask)):
            rows[index] = row
    return torch.stack(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="out/minilm", help="the folder fetch.sh made")
    parser.add_argument("--sentences", default="Examples/Embeddings/sentences.txt")
    parser.add_argument("--export", metavar="FILE", help="write PyTorch's program, compile nothing")
    options = parser.parse_args()

    model = SentenceModel(options.model).eval()
    program = export(model)
    if options.export:
        torch.export.save(program, options.export)
        print(options.export)
        return

    import aitemplate

    tokenizer = BertWordPieceTokenizer(f"{options.model}/vocab.txt", lowercase=True)
    tokenizer.enable_truncation(256)
    tokenizer.enable_padding()
    with open(options.sentences, encoding="utf-8") as file:
        lines = [line.strip() for line in file if line.strip()]
    start = time.perf_counter()
    compiled = aitemplate.compile(program, name="minilm")
    print(f"compiled in {time.perf_counter() - start:.1f} s")
    with torch.inference_mode():
        results = {}
        for name, run in [("PyTorch", model), ("AITemplate", compiled)]:
            encode(tokenizer, lines[:64], run)
            start = time.perf_counter()
            results[name] = encode(tokenizer, lines, run)
            print(f"{name}: {len(lines)} sentences in {time.perf_counter() - start:.3f} s")
    cosines = (results["PyTorch"] * results["AITemplate"]).sum(1)
    print(f"least cosine to PyTorch: {cosines.min().item():.7f}")
    if cosines.min() < 0.9999:
        raise SystemExit(2)


if __name__ == "__main__":
    main()
