"""Tables of vectors, and BERT's sum of three of them."""

from __future__ import annotations

from typing import Sequence

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.dropout import Dropout
from aitemplate.frontend.nn.layer_norm import LayerNorm
from aitemplate.frontend.nn.module import Module
from aitemplate.frontend.nn.parameter import Parameter

__all__ = ["Embedding", "BertEmbeddings"]


class Embedding(Module):
    """A table of vectors, for operators that look them up.

    Args:
        shape: how many vectors, and their length.
        dtype: the element type of the table.

    Parameters: `weight` of `shape`.
    """

    def __init__(self, shape: Sequence[int], dtype: str) -> None:
        super().__init__()
        self.weight = Parameter(shape=shape, dtype=dtype)

    def tensor(self) -> Tensor:
        """The table."""
        return self.weight.tensor()


class BertEmbeddings(Module):
    """The sum of the vectors of word, position and type of each token, normalized.

    Args:
        hidden_size: H, the length of the vectors.
        vocab_size, max_position_embeddings, type_vocab_size: how many vectors the tables hold.
        layer_norm_eps: what is added to the variance.
        hidden_dropout_prob: must be 0: models are not trained here.
        dtype: the element type of the parameters.

    Shapes: `forward(input_ids, token_type_ids, position_ids)`, each `[B, S]` of integers, gives
    `[B, S, H]`.
    """

    def __init__(
        self,
        hidden_size: int,
        vocab_size: int,
        max_position_embeddings: int,
        type_vocab_size: int,
        layer_norm_eps: float,
        hidden_dropout_prob: float,
        dtype: str = "float16",
    ) -> None:
        super().__init__()
        assert hidden_dropout_prob == 0.0, (
            f"BertEmbeddings: hidden_dropout_prob must be 0, not {hidden_dropout_prob}"
        )
        self.word_embeddings = Embedding([vocab_size, hidden_size], dtype)
        self.position_embeddings = Embedding([max_position_embeddings, hidden_size], dtype)
        self.token_type_embeddings = Embedding([type_vocab_size, hidden_size], dtype)
        self.LayerNorm = LayerNorm([hidden_size], layer_norm_eps, dtype)
        self.dropout = Dropout(hidden_dropout_prob)

    def forward(self, input_ids: Tensor, token_type_ids: Tensor, position_ids: Tensor) -> Tensor:
        embeddings = ops.bert_embeddings()(
            input_ids,
            token_type_ids,
            position_ids,
            self.word_embeddings.tensor(),
            self.token_type_embeddings.tensor(),
            self.position_embeddings.tensor(),
            self.LayerNorm.weight.tensor(),
            self.LayerNorm.bias.tensor(),
            self.LayerNorm.eps,
        )
        return self.dropout(embeddings)
