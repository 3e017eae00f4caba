"""What is asked of TransformerDecoderLayer and TransformerEncoderLayer, over right sub-layers.

Attention is a stand-in here; a mistake in MultiHeadAttention costs nothing. The parameters of all
sub-layers are the judge's, so that each has its own.
Shapes: tgt and src (N, T, D), memory (N, S, D), masks (T, T).

Weights: composed wrongly, a layer computes something else: that costs most. A dropout layer that
is not used changes training only.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment3.transformer_captioning import asking, composed, oracle
from autograder.judge import Failed, Student, check, expect, expect_near, expect_shape

DECODER, DECODER_CELL, DECODER_NAME = "decoder", "decoder-layer", "TransformerDecoderLayer"
ENCODER, ENCODER_CELL, ENCODER_NAME = "encoder", "encoder-layer", "TransformerEncoderLayer"
D, HIDDEN = 8, 6
SIZES = (D, 2, HIDDEN, 0.0)
WHAT = "the output"


@check(DECODER, probe="DEC-A1", weight=4)
def decoder_is_right(student: Student, rng: Generator) -> None:
    """Three blocks: each its sub-layer, the shortcut added, then layer norm."""
    layer = oracle.filled(composed.DecoderLayer(D, HIDDEN), rng)
    tgt, memory = oracle.draw(rng, 2, 4, D), oracle.draw(rng, 2, 4, D)
    got = _asked(student, DECODER_NAME, layer, [tgt, memory])[0]
    wrong = {text: answer.numpy() for text, answer in _decoder_slips(layer, tgt, memory).items()}
    want = layer(tgt, memory).numpy()
    expect_near(got, want, what=WHAT, precision="float32", slips=wrong)


@check(DECODER, probe="DEC-A2", weight=2)
def decoder_masks_words_only(student: Student, rng: Generator) -> None:
    """A mask is for self-attention; the memory may be of any length.

    A word that sees only itself gets the answer that it gets alone, with the whole image: this asks
    nothing about the blocks themselves.
    """
    layer = oracle.filled(composed.DecoderLayer(D, HIDDEN), rng)
    tgt, mask = oracle.draw(rng, 2, 4, D), composed.causal(4)
    for tokens in (4, 7, 1):
        memory = oracle.draw(rng, 2, tokens, D)
        first = tgt[:, :1]
        calls = [tgt, memory, mask], [first, memory], [first, memory[:, :1]]
        got, alone, blinkered = _asked(student, DECODER_NAME, layer, *calls)
        what = f"{WHAT} for 4 words, {tokens} image tokens and a mask"
        got = expect_shape(got, (2, 4, D), what)[:, :1]
        text = "the mask is used in cross-attention too: every word may look at the whole image"
        slips = {}
        want = asking.own_answer(alone, (2, 1, D), WHAT)
        if tokens == 4:
            slips[text] = asking.own_answer(blinkered, (2, 1, D), WHAT)
            matter = not np.allclose(slips[text], want, rtol=1e-3)
            expect(matter, f"{WHAT} is the same with one image token: it does not depend on more")
        where = f"{what}, at a word that sees no other"
        expect_near(got, want, what=where, precision="float32", slips=slips)


@check(DECODER, probe="DEC-A1")
def decoder_drops_in_each_block(student: Student, rng: Generator) -> None:
    """In training mode, each of the three dropout layers acts on its block's result."""
    layer = oracle.filled(composed.DecoderLayer(D, HIDDEN), rng)
    call = [oracle.draw(rng, 2, 3, D), oracle.draw(rng, 2, 5, D)]
    _expect_dropped(student, DECODER_NAME, layer, call, ("self", "cross", "ffn"))


@check(ENCODER, probe="ENC-A1", weight=4)
def encoder_is_right(student: Student, rng: Generator) -> None:
    """Two blocks: each its sub-layer, the shortcut added, then layer norm."""
    layer = oracle.filled(composed.EncoderLayer(D, HIDDEN), rng)
    for N, S in ((2, 5), (1, 1)):
        src = oracle.draw(rng, N, S, D)
        got = _asked(student, ENCODER_NAME, layer, [src])[0]
        wrong = {text: answer.numpy() for text, answer in _encoder_slips(layer, src).items()}
        want = layer(src).numpy()
        expect_near(got, want, what=WHAT, precision="float32", slips=wrong)


@check(ENCODER, probe="ENC-A1")
def encoder_obeys_a_mask(student: Student, rng: Generator) -> None:
    """src_mask reaches self-attention."""
    layer = oracle.filled(composed.EncoderLayer(D, HIDDEN), rng)
    src, mask = oracle.draw(rng, 2, 4, D), composed.causal(4)
    free, got = _asked(student, ENCODER_NAME, layer, [src], [src, mask])
    free, got = (expect_shape(answer, (2, 4, D), WHAT) for answer in (free, got))
    # The last token sees all others in both calls; the first sees but itself under the mask.
    message = "src_mask has no effect: the output is the same without it"
    if np.allclose(free, got, rtol=1e-4):
        raise Failed(message)
    alone = _asked(student, ENCODER_NAME, layer, [src[:, :1]])[0]
    what = f"{WHAT} at a token that sees only itself"
    expect_near(
        got[:, :1], asking.own_answer(alone, (2, 1, D), what), what=what, precision="float32"
    )


@check(ENCODER, probe="ENC-A1")
def encoder_drops_in_each_block(student: Student, rng: Generator) -> None:
    """In training mode, both dropout layers act on their block's result."""
    layer = oracle.filled(composed.EncoderLayer(D, HIDDEN), rng)
    _expect_dropped(student, ENCODER_NAME, layer, [oracle.draw(rng, 2, 5, D)], ("self", "ffn"))


# -- asking ---------------------------------------------------------------------------------------


def _asked(
    student: Student, name: str, layer: Any, *calls: asking.Call, **options: Any
) -> list[Any]:
    cell = student.cell_defining(name) or (DECODER_CELL if name == DECODER_NAME else ENCODER_CELL)
    state = oracle.state(layer)
    return asking.answers(student, name, SIZES, state, *calls, cell=cell, **options)


def _expect_dropped(
    student: Student, name: str, layer: Any, call: list[Tensor], blocks: tuple[str, ...]
) -> None:
    """One dropout layer at a time drops all, the others nothing: then its block adds nothing.

    The student's own answer is compared, with a sub-layer that returns zeros: how the block is put
    together is asked elsewhere.
    """
    shape = tuple(call[0].shape)
    whole = asking.own_answer(_asked(student, name, layer, call)[0], shape, WHAT)
    for block in blocks:
        dropout = f"dropout_{block}"
        quiet = _asked(student, name, layer, call, dropped=dropout)[0]
        drops = f"{dropout} drops in evaluation mode too"
        expect_near(quiet, whole, what=f"{WHAT} in evaluation mode", slips=None, hint=drops)
        got = _asked(student, name, layer, call, training=True, dropped=dropout)[0]
        want = _asked(student, name, _silent(layer, block), call)[0]
        want = asking.own_answer(want, shape, WHAT)
        got = expect_shape(got, shape, WHAT)
        effect = not np.allclose(got, whole, rtol=1e-4, atol=1e-5)
        expect(effect, f"in training mode, {dropout} has no effect")
        bias = getattr(layer, f"norm_{block}").bias.numpy()
        text = f"{dropout} drops the shortcut too: it acts on the block's result alone"
        slips = {text: np.broadcast_to(bias, shape)} if block == blocks[-1] else {}
        what = f"{WHAT} when {dropout} drops everything"
        expect_near(got, want, what=what, precision="float32", slips=slips)


def _silent(layer: Any, block: str) -> Any:
    """A copy in which the sub-layer of this block returns zeros."""
    silent = copy.deepcopy(layer)
    part = silent.ffn if block == "ffn" else getattr(silent, f"{block}_attn")
    for value in part.parameters():
        value.data.zero_()
    return silent


# -- slips ----------------------------------------------------------------------------------------


def _decoder_slips(layer: composed.DecoderLayer, tgt: Tensor, memory: Tensor) -> dict[str, Tensor]:
    cross, ffn = layer.cross_attn, layer.ffn
    norm_cross, norm_ffn = layer.norm_cross, layer.norm_ffn
    x = layer.norm_self(tgt + layer.self_attn(tgt, tgt, tgt))
    y = norm_cross(x + cross(x, memory, memory))
    early = x + cross(norm_cross(x), memory, memory)

    def after(result: Tensor) -> Tensor:
        return norm_ffn(result + ffn(result))

    return {
        "the cross-attention block has no shortcut": after(norm_cross(cross(x, memory, memory))),
        "the feed-forward block has no shortcut": norm_ffn(ffn(y)),
        "norm_cross is missing": after(x + cross(x, memory, memory)),
        "norm_ffn is missing": y + ffn(y),
        "layer norm comes before each block; it should come last, after the shortcut": (
            early + ffn(norm_ffn(early))
        ),
        "keys and values of cross-attention are the words; they should be the memory": after(
            norm_cross(x + cross(x, x, x))
        ),
        "the values of cross-attention are the words; they should be the memory": after(
            norm_cross(x + cross(x, memory, x))
        ),
        "queries of cross-attention are the memory; they should be the words": after(
            norm_cross(x + cross(memory, x, x))
        ),
        "the block after self-attention uses self_attn again; it has its own, cross_attn": after(
            norm_cross(x + layer.self_attn(x, memory, memory))
        ),
        "the shortcut of cross-attention adds the words from before self-attention": (
            after(norm_cross(tgt + cross(x, memory, memory)))
        ),
        "the feed-forward shortcut adds what was there before cross-attention": norm_ffn(
            x + ffn(y)
        ),
        "norm_cross is used twice; the feed-forward block has its own, norm_ffn": norm_cross(
            y + ffn(y)
        ),
        "norm_self is used again; cross-attention has its own, norm_cross": after(
            layer.norm_self(x + cross(x, memory, memory))
        ),
        "norm_cross and norm_ffn are exchanged": (lambda z: norm_cross(z + ffn(z)))(
            norm_ffn(x + cross(x, memory, memory))
        ),
        "the cross-attention block is missing": after(x),
        "cross_attn is not used": after(norm_cross(x + x)),
        "ffn is not used": norm_ffn(y + y),
        "norm_ffn comes before the shortcut is added; it should come after": y + norm_ffn(ffn(y)),
        "norm_cross comes before the shortcut is added; it should come after": after(
            x + norm_cross(cross(x, memory, memory))
        ),
        "the feed-forward block is missing": y,
    }


def _encoder_slips(layer: composed.EncoderLayer, src: Tensor) -> dict[str, Tensor]:
    attend, ffn = layer.self_attn, layer.ffn
    norm_self, norm_ffn = layer.norm_self, layer.norm_ffn
    x = norm_self(src + attend(src, src, src))
    first = norm_self(src)
    early = src + attend(first, first, first)
    unscaled = src + attend(src, src, src)
    return {
        "the self-attention block has no shortcut": (lambda z: norm_ffn(z + ffn(z)))(
            norm_self(attend(src, src, src))
        ),
        "the feed-forward block has no shortcut": norm_ffn(ffn(x)),
        "norm_self is missing": norm_ffn(unscaled + ffn(unscaled)),
        "norm_ffn is missing": x + ffn(x),
        "layer norm comes before each block; it should come last, after the shortcut": (
            early + ffn(norm_ffn(early))
        ),
        "the feed-forward shortcut adds the input from before self-attention": norm_ffn(
            src + ffn(x)
        ),
        "norm_self is used twice; the feed-forward block has its own, norm_ffn": norm_self(
            x + ffn(x)
        ),
        "norm_self and norm_ffn are exchanged": (lambda z: norm_self(z + ffn(z)))(
            norm_ffn(unscaled)
        ),
        "ffn gets the input from before self-attention": norm_ffn(x + ffn(src)),
        "ffn is not used": norm_ffn(x),
        "norm_ffn comes before the shortcut is added; it should come after": x + norm_ffn(ffn(x)),
        "the feed-forward block is missing": x,
        "the self-attention block is missing": norm_ffn(src + ffn(src)),
    }
