"""The tutorial's model in PyTorch; the timing script, the fixtures and the benchmarks share it."""

import torch


class PTSimpleModel(torch.nn.Module):
    """Two linear layers around a GELU, a residual sum and a layer normalisation."""

    def __init__(self, hidden: int, eps: float = 1e-5, gelu: str = "none"):
        """`gelu` is PyTorch's name of the formula: "none" for the exact one, or "tanh"."""
        super().__init__()
        self.gelu = gelu
        self.dense1 = torch.nn.Linear(hidden, 4 * hidden)
        self.dense2 = torch.nn.Linear(4 * hidden, hidden)
        self.layernorm = torch.nn.LayerNorm(hidden, eps=eps)

    def forward(self, input):
        hidden_states = self.dense1(input)
        hidden_states = torch.nn.functional.gelu(hidden_states, approximate=self.gelu)
        hidden_states = self.dense2(hidden_states)
        hidden_states = hidden_states + input
        return self.layernorm(hidden_states)
