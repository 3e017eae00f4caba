"""Checks of the Transformer notebook: right answers of every style pass, wrong ones lose."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autograder.checks.assignment3.transformer_captioning import oracle, training
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from tests.nightly import rounds
from trial_notebook import TrialNotebook

ATTENTION, POSITIONS = "multi-head-attention", "positional-encoding"
DECODER, CAPTIONS = "decoder-layer", "captioning-transformer"
PATCHES, ENCODER, VIT = "patch-embedding", "encoder-layer", "vision-transformer"
CLASSES = (ATTENTION, POSITIONS, DECODER, CAPTIONS, PATCHES, ENCODER, VIT)
QUESTIONS = {
    ATTENTION: "attention",
    POSITIONS: "positions",
    DECODER: "decoder",
    CAPTIONS: "caption-transformer",
    PATCHES: "patches",
    ENCODER: "encoder",
    VIT: "vit",
}
OVERFIT = "vit-overfit-cell"
TRIAL = TrialNotebook(
    "assignment3", "Transformer_Captioning", frozenset({"model_classifies"}), answers=CLASSES
)
student_with = TRIAL.with_answers


def changed_cell(shared: Student, cell: str, *edits: tuple[str, str]) -> Student:
    """A student with one class changed; the others are right."""
    sources = TRIAL.changed(cell, *edits)
    return TRIAL.with_source(shared, cell, sources[cell])


# -- right answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TRIAL.right, ids=lambda path: path.stem if path else "reference")
def test_right_solutions_pass_whatever_the_seed(zygote: Zygote, path) -> None:
    with student_with(zygote, TRIAL.solved(path)) as student:
        TRIAL.assert_right(student, QUESTIONS.values(), rounds(25))


def test_torchs_own_layer_agrees_with_the_oracle() -> None:
    """nn.MultiheadAttention, which has the three input layers in one."""
    rng = np.random.default_rng(0)
    layer = oracle.draw_attention(rng, 8, 2)
    query, key = oracle.draw(rng, 2, 3, 8), oracle.draw(rng, 2, 5, 8)
    mask = torch.tensor([[1, 0, 1, 0, 1], [0, 1, 0, 0, 0], [1, 1, 1, 1, 1]])
    torchs = torch.nn.MultiheadAttention(8, 2, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        for kind in ("weight", "bias"):
            parts = [layer.params[f"{name}.{kind}"] for name in ("query", "key", "value")]
            getattr(torchs, f"in_proj_{kind}").copy_(torch.cat(parts))
            getattr(torchs.out_proj, kind).copy_(layer.params[f"proj.{kind}"])
        want = torchs(query, key, key, attn_mask=mask == 0)[0]
    assert torch.allclose(oracle.attend(layer, query, key, key, mask), want)


# -- wrong answers: (cell, edits): question's points, what is said --------------------------------

FILL = "attn_mask == 0, -math.inf"
DROP = "self.attn_drop(F.softmax(scores, dim=-1))"
WRONG = {
    "no scale": (
        ATTENTION,
        [(" / math.sqrt(D)", "")],
        10 / 20,
        {"one_head_is_right": "the scores are not divided by the square root of a head's"},
    ),
    "the root of E": (
        ATTENTION,
        [(" / math.sqrt(D)", " / math.sqrt(E)")],
        17 / 20,
        {"several_heads_are_right": "divided by the square root of E; a head has E / H"},
    ),
    "softmax over queries": (
        ATTENTION,
        [("F.softmax(scores, dim=-1)", "F.softmax(scores, dim=2)")],
        5 / 20,
        {"one_head_is_right": "the softmax runs over the queries"},
    ),
    "no proj": (
        ATTENTION,
        [("self.proj(heads)", "heads")],
        8 / 20,
        {"one_head_is_right": "the last linear layer, proj, is missing"},
    ),
    "joined without a transpose": (
        ATTENTION,
        [("(weights @ v).transpose(1, 2)", "(weights @ v)")],
        16 / 20,
        {"several_heads_are_right": "without moving the axis of heads back"},
    ),
    "mask inverted": (
        ATTENTION,
        [("attn_mask == 0", "attn_mask != 0")],
        15 / 20,
        {
            "masked_keys_do_not_count": "with a mask of type float32, the mask is inverted",
            "masks_may_be_of_any_type": "with a mask of type bool, the mask is inverted",
        },
    ),
    "mask added": (
        ATTENTION,
        [(f"scores.masked_fill({FILL})", "scores + attn_mask")],
        15 / 20,
        {"masked_keys_do_not_count": "it is added to the scores: that forbids nothing"},
    ),
    "forbidden scores are 0": (
        ATTENTION,
        [(FILL, "attn_mask == 0, 0.0")],
        15 / 20,
        {"masked_keys_do_not_count": "forbidden scores become 0; e^0 is 1, not 0"},
    ),
    "masks of bool only": (
        ATTENTION,
        [(FILL, "~attn_mask, -math.inf")],
        15 / 20,
        {"masked_keys_do_not_count": "your code raised TypeError: ~ (operator.invert)"},
    ),
    "no dropout": (
        ATTENTION,
        [(DROP, "F.softmax(scores, dim=-1)")],
        18 / 20,
        {"dropout_acts_on_the_weights": "nothing is dropped"},
    ),
    "dropout on the scores": (
        ATTENTION,
        [(DROP, "F.softmax(self.attn_drop(scores), dim=-1)")],
        18 / 20,
        {"dropout_acts_on_the_weights": "in training mode, dropout comes before the softmax"},
    ),
    "dropout in evaluation mode": (
        ATTENTION,
        [(DROP, "F.dropout(F.softmax(scores, dim=-1), self.attn_drop.p)")],
        18 / 20,
        {"dropout_acts_on_the_weights": "in evaluation mode the output differs from call"},
    ),
    "weights cut off": (
        ATTENTION,
        [("(weights @ v)", "(weights.detach() @ v)")],
        18 / 20,
        {"gradients_reach_everything": "no gradient reaches query, key, key.weight, key.bias"},
    ),
    "no shift before exp": (
        ATTENTION,
        [("F.softmax(scores, dim=-1)", "scores.exp() / scores.exp().sum(-1, keepdim=True)")],
        19 / 20,
        {"large_scores_do_not_overflow": "nan or infinite, with scores of about 450"},
    ),
    "sine and cosine": (
        POSITIONS,
        [
            ("torch.sin(angle)", "torch.cos(angle)  # "),
            ("1::2] = torch.cos(", "1::2] = torch.sin("),
        ],
        5 / 10,
        {"positions_are_right": "sine and cosine are exchanged"},
    ),
    "exponent": (
        POSITIONS,
        [("-even / embed_dim", "-2 * even / embed_dim")],
        5 / 10,
        {"positions_are_right": "the exponent of column j is -j / d, not -2j / d"},
    ),
    "tokens forgotten": (
        POSITIONS,
        [("x + self.pe[:, :S]", "self.pe[:, :S].expand_as(x)")],
        8 / 10,
        {"positions_are_added_to_the_tokens": "x is not in the output"},
    ),
    "dropout on positions only": (
        POSITIONS,
        [("self.dropout(x + self.pe[:, :S])", "x + self.dropout(self.pe[:, :S])")],
        9 / 10,
        {"dropout_acts_in_training": "dropout acts on the positions only; it should"},
    ),
    "in place": (
        POSITIONS,
        [("x + self.pe[:, :S]", "x.add_(self.pe[:, :S])")],
        9 / 10,
        {"tokens_are_left_alone": "x was modified by the call"},
    ),
    "no shortcut": (
        DECODER,
        [("shortcut + self.dropout_cross(tgt)", "self.dropout_cross(tgt)")],
        3 / 7,
        {"decoder_is_right": "the cross-attention block has no shortcut"},
    ),
    "words for memory": (
        DECODER,
        [("key=memory, value=memory", "key=tgt, value=tgt")],
        1 / 7,
        {
            "decoder_is_right": "keys and values of cross-attention are the words",
            "decoder_masks_words_only": "the same with one image token",
        },
    ),
    "mask in cross-attention": (
        DECODER,
        [("key=memory, value=memory)", "key=memory, value=memory, attn_mask=tgt_mask)")],
        5 / 7,
        {"decoder_masks_words_only": "every word may look at the whole image"},
    ),
    "no dropout in a block": (
        DECODER,
        [("self.dropout_ffn(tgt)", "tgt")],
        6 / 7,
        {"decoder_drops_in_each_block": "in training mode, dropout_ffn has no effect"},
    ),
    "dropout on the sum": (
        DECODER,
        [("shortcut + self.dropout_ffn(tgt)", "self.dropout_ffn(shortcut + tgt)")],
        6 / 7,
        {"decoder_drops_in_each_block": "dropout_ffn drops the shortcut too"},
    ),
    "no causal mask": (
        CAPTIONS,
        [(", tgt_mask=tgt_mask", "")],
        2 / 8,
        {
            "scores_are_right": "there is no mask: each word sees those after it",
            "no_word_sees_later_ones": "word at position 3 changes the logits at position 0",
        },
    ),
    "mask as torch wants it": (
        CAPTIONS,
        [(").tril()", ").triu(1)")],
        0 / 8,
        {"scores_are_right": "the mask lets word 4 look at no word, nor at itself"},
    ),
    "no positions": (
        CAPTIONS,
        [("self.positional_encoding(self.embedding(captions))", "self.embedding(captions)")],
        4 / 8,
        {"scores_are_right": "the positions are missing"},
    ),
    "features without an axis": (
        CAPTIONS,
        [
            (
                "self.visual_projection(features).reshape(N, 1, -1)",
                "self.visual_projection(features)",
            )
        ],
        0 / 8,
        {"scores_are_right": "memory must have shape (N, tokens, W); found (3, 8)"},
    ),
    "features ignored": (
        CAPTIONS,
        [("self.visual_projection(features)", "0 * self.visual_projection(features)")],
        3 / 8,
        {"features_matter": "another image leaves the logits of its caption unchanged"},
    ),
    "last words only": (
        CAPTIONS,
        [("scores[:, -1].argmax", "scores[:, 0].argmax")],
        7 / 8,
        {"sample_writes_the_likeliest_words": "words are not the most probable"},
    ),
    "channels last": (
        PATCHES,
        [("permute(0, 2, 4, 1, 3, 5)", "permute(0, 2, 4, 3, 5, 1)")],
        3 / 7,
        {"patches_are_cut_in_order": "(channel, row, column), not as (row, column, channel)"},
    ),
    "column by column": (
        PATCHES,
        [("permute(0, 2, 4, 1, 3, 5)", "permute(0, 4, 2, 1, 3, 5)")],
        3 / 7,
        {"patches_are_cut_in_order": "patches are numbered row by row"},
    ),
    "mask not handed on": (
        ENCODER,
        [(", attn_mask=src_mask", "")],
        5 / 6,
        {"encoder_obeys_a_mask": "src_mask has no effect"},
    ),
    "norm twice": (
        ENCODER,
        [("self.norm_ffn(src", "self.norm_self(src")],
        2 / 6,
        {"encoder_is_right": "norm_self is used twice"},
    ),
    "first token": (
        VIT,
        [("tokens.mean(dim=1)", "tokens[:, 0]")],
        3 / 7,
        {"scores_are_right": "only the first token reaches the head; take the mean of all"},
    ),
    "a bag of patches": (
        VIT,
        [("self.positional_encoding(self.patch_embed(x))", "self.patch_embed(x)")],
        2 / 7,
        {
            "scores_are_right": "the positions are missing",
            "places_of_patches_matter": "in another order the logits are the same",
        },
    ),
    "no mean": (
        VIT,
        [("tokens.mean(dim=1)", "tokens")],
        0 / 7,
        {
            "scores_are_right": "the output has shape (3, 16, 4); expected (3, 4)",
            "gradients_reach_everything": "the output has shape (2, 16, 4); expected (2, 4)",
        },
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_slip_is_named_and_costs_what_it_breaks(shared: Student, what: str) -> None:
    cell, edits, points, messages = WRONG[what]
    found = TRIAL.verdict(changed_cell(shared, cell, *edits), QUESTIONS[cell])
    said = TRIAL.failed(found, advice=False)
    for name, message in messages.items():
        assert message in said.get(name, ""), said
    assert found.score == pytest.approx(points, abs=1e-3), said


@pytest.mark.parametrize("cell", CLASSES)
def test_an_unwritten_answer_earns_nothing(shared: Student, cell: str) -> None:
    """A forward that returns zeros, or what it was given, is no answer to anything."""
    name = {VIT: "x", CAPTIONS: "features", PATCHES: "x", ENCODER: "src", POSITIONS: "x"}
    first = name.get(cell, "tgt" if cell == DECODER else "query")
    for answer in (f"0 * {first}", first, "None"):
        source = TRIAL.solved()[cell]
        head, _, rest = source.partition("    def forward(")
        signature = rest.partition("\n")[0]
        tail = f"    def forward({signature}\n        return {answer}\n"
        found = TRIAL.verdict(TRIAL.with_source(shared, cell, head + tail), QUESTIONS[cell])
        told = {c.name: c.message for c in found.checks if c.passed and not c.advice}
        # x as it is keeps positions' table from being right, and everything else.
        assert found.score <= 0.15, (answer, told)


# -- nobody pays twice ----------------------------------------------------------------------------


def test_wrong_layers_cost_their_own_questions_only(zygote: Zygote) -> None:
    broken = "class {}(nn.Module):\n    def __init__(self, *args, **more):\n        raise OSError"
    names = {
        ATTENTION: "MultiHeadAttention",
        POSITIONS: "PositionalEncoding",
        DECODER: "TransformerDecoderLayer",
        PATCHES: "PatchEmbedding",
        ENCODER: "TransformerEncoderLayer",
    }
    for cell, name in names.items():
        sources = TRIAL.solved() | {cell: broken.format(name)}
        with student_with(zygote, sources) as student:
            lost = {
                grade_id
                for grade_id in QUESTIONS.values()
                if TRIAL.failed(TRIAL.verdict(student, grade_id), advice=False)
            }
        assert lost == {QUESTIONS[cell]}


def test_a_layer_of_another_name_is_missed(shared: Student) -> None:
    source = TRIAL.solved()[ATTENTION].replace("self.proj", "self.out")
    found = TRIAL.verdict(TRIAL.with_source(shared, ATTENTION, source), "attention")
    message = TRIAL.failed(found)["one_head_is_right"]
    assert message == (
        "MultiHeadAttention has no parameter proj.weight of shape (8, 8): "
        "keep the layers that __init__ makes"
    )


def test_loops_are_found_where_they_are(shared: Student) -> None:
    source = TRIAL.solved()[PATCHES].replace(
        "        patches = x.reshape(", "        for _ in range(1):\n            pass\n"
        "        patches = x.reshape("
    )  # fmt: skip
    found = TRIAL.verdict(TRIAL.with_source(shared, PATCHES, source), "patches")
    said = TRIAL.failed(found)
    assert set(said) == {"there_is_no_loop"}
    line = source.split("\n").index("        for _ in range(1):") + 1
    assert said["there_is_no_loop"].startswith(f"line {line} of cell 'patch-embedding': a Python")


def test_what_the_task_leaves_open_is_advice(shared: Student) -> None:
    found = TRIAL.verdict(
        TRIAL.with_source(shared, ATTENTION, TRIAL.solved()[ATTENTION]), "attention"
    )
    assert found.score == 1
    assert "may look at no key, the output is nan" in TRIAL.failed(found)["no_key_at_all"]


# -- the two cells that train ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("learning_rate, weight_decay = 1e-3, 0.0", ""),
        ("learning_rate, weight_decay = 1e-4, 1e-3", "still has a loss of"),
        ("learning_rate, weight_decay = 1e-3, 1.0", "learning_rate = 0.001 and weight_decay = 1"),
        ("learning_rate, weight_decay = [1e-3, 1e-4], 0.0", "learning_rate has shape (2,)"),
        ("learning_rate, weight_decay = -1e-3, 0.0", "learning_rate is -0.001"),
        ("learning_rate, weight_decay = '1e-3', 0.0", "learning_rate holds text, not numbers"),
    ],
)
def test_settings_are_tried_on_a_small_net(shared: Student, settings: str, message: str) -> None:
    assert shared._kernel.run_cell(settings).ok
    found = TRIAL.verdict(shared, "vit-overfit")
    said = TRIAL.failed(found).get("settings_overfit_few_images", "")
    assert message in said
    assert found.score == (0 if message else 1), said


def test_a_model_is_measured_on_new_images(shared: Student) -> None:
    seen = {}
    for source, message in (
        ("model = None", "model is None"),
        (
            "torch.manual_seed(0)\nmodel = VisionTransformer(embed_dim=8, num_layers=1)",
            "new images correctly; at least 29% were expected",
        ),
    ):
        assert shared._kernel.run_cell(source).ok
        found = TRIAL.verdict(shared, "vit-accuracy")
        (seen,) = (check.message for check in found.checks)
        assert message in seen
        assert found.score == 0


def test_the_small_net_is_one_transformer(shared: Student) -> None:
    net = training.SmallViT()
    assert net(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
