"""Stacks of layers and the feed-forward network, against torch's own functions."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cs231n_lib.transformer import (
    FeedForwardNetwork,
    TransformerDecoder,
    TransformerEncoder,
    clones,
)


class Layer(nn.Module):
    """Notes what it gets; so plain that the order of application shows."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.got: list[tuple[Tensor | None, ...]] = []

    def forward(self, tgt: Tensor, memory: Tensor | None = None, tgt_mask=None, src_mask=None):
        self.got.append((tgt, memory, tgt_mask, src_mask))
        return tgt * self.scale + (0 if memory is None else memory.sum())


def test_feed_forward_network_is_linear_gelu_linear() -> None:
    torch.manual_seed(0)
    net = FeedForwardNetwork(4, 6, dropout=0.5).double().eval()
    x = torch.randn(2, 3, 4, dtype=torch.float64)
    hidden = functional.gelu(functional.linear(x, net.fc1.weight, net.fc1.bias))
    wanted = functional.linear(hidden, net.fc2.weight, net.fc2.bias)
    torch.testing.assert_close(net(x), wanted)
    assert net.fc1.weight.shape == (6, 4)
    assert [type(layer) for layer in net.children()] == [nn.Linear, nn.GELU, nn.Dropout, nn.Linear]


def test_feed_forward_network_drops_hidden_features_in_training_only() -> None:
    torch.manual_seed(0)
    net = FeedForwardNetwork(4, 50, dropout=0.5)
    x = torch.randn(2, 3, 4)
    assert not torch.equal(net(x), net(x))
    net.eval()
    assert torch.equal(net(x), net(x))
    assert net.dropout.p == 0.5
    assert FeedForwardNetwork(4, 5).dropout.p == 0.1


def test_clones_start_alike_and_share_nothing() -> None:
    original = nn.Linear(2, 3)
    copies = clones(original, 3)
    assert len(copies) == 3
    for layer in copies:
        torch.testing.assert_close(layer.state_dict(), original.state_dict())
    assert len({p.data_ptr() for p in [*copies.parameters(), *original.parameters()]}) == 8
    with pytest.raises(ValueError, match="N is 0"):
        clones(original, 0)


def test_decoder_hands_the_output_on_and_the_memory_and_mask_to_all() -> None:
    decoder = TransformerDecoder(Layer(), 2)
    tgt, memory, mask = torch.ones(1, 2, 3), torch.ones(1, 5, 3), torch.ones(2, 2).tril()
    with torch.no_grad():
        decoder.layers[1].scale.fill_(3)
    out = decoder(tgt, memory, tgt_mask=mask)
    torch.testing.assert_close(out, torch.full((1, 2, 3), (1 * 2 + 15) * 3 + 15.0))
    for layer in decoder.layers:
        assert layer.got[0][1] is memory
        assert layer.got[0][2] is mask
    decoder(tgt, memory)
    assert decoder.layers[0].got[1][2] is None


def test_encoder_hands_the_output_on_and_the_mask_to_all() -> None:
    class EncoderLayer(Layer):
        def forward(self, src: Tensor, src_mask=None):
            return super().forward(src, src_mask=src_mask)

    encoder = TransformerEncoder(EncoderLayer(), 3)
    src, mask = torch.ones(1, 2, 3), torch.ones(2, 2)
    torch.testing.assert_close(encoder(src, src_mask=mask), torch.full((1, 2, 3), 8.0))
    assert all(layer.got[0][3] is mask for layer in encoder.layers)
    assert encoder(src).shape == (1, 2, 3)
    assert encoder.layers[2].got[1][3] is None
