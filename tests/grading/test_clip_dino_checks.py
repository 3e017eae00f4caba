"""Checks of the notebook on CLIP and DINO: right answers pass, wrong ones lose."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from autograder.checks.assignment4.clip_dino import known, retrieval, similarity, zero_shot
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from tests.nightly import rounds
from trial_notebook import TrialNotebook

QUESTIONS = {
    "similarity-code": "similarity",
    "zero-shot-code": "zero-shot",
    "retrieval-code": "retrieval",
    "segmentation-code": "segmentation",
}
SIMILARITY, ZERO_SHOT, RETRIEVAL, SEGMENTATION = QUESTIONS
TRIAL = TrialNotebook("assignment4", "CLIP_DINO", answers=tuple(QUESTIONS))
student_with = TRIAL.with_answers


# -- right answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TRIAL.right, ids=lambda path: path.stem if path else "reference")
def test_right_solutions_pass_whatever_the_seed(zygote: Zygote, path) -> None:
    with student_with(zygote, TRIAL.solved(path)) as student:
        TRIAL.assert_right(student, QUESTIONS.values(), rounds(25))


def test_the_judges_cosines_are_torchs() -> None:
    rng = np.random.default_rng(0)
    texts, images = (
        torch.from_numpy(rng.normal(size=(3, 5))),
        torch.from_numpy(rng.normal(size=(4, 5))),
    )
    want = functional.cosine_similarity(texts[:, None], images[None], dim=2)
    torch.testing.assert_close(known.cosines(texts, images), want)


def test_no_two_slips_of_the_similarity_give_the_same_answer() -> None:
    """Otherwise a message might name the wrong one; and none is right."""
    rng = np.random.default_rng(1)
    texts, images = similarity._draw(rng, 3, 5, 6)
    wrong = similarity._slips(texts, images) | {"right": known.cosines(texts, images).numpy()}
    names = list(wrong)
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            assert not np.allclose(wrong[one], wrong[other], rtol=1e-3), (one, other)


def test_a_case_leaves_no_doubt_which_is_best() -> None:
    """The two best cosines differ by more than float32 can lose."""
    rng = np.random.default_rng(2)
    for N, C in ((5, 5), (3, 7), (8, 3), (1, 4), (6, 1)):
        table = known.draw(rng, N, C, spread=1.0).table()
        assert table.shape == (C, N)
        for line in (*table, *table.T):
            assert len(line) < 2 or np.diff(np.sort(line)).min() > 1e-3


# -- the official traps: (cell, edit): the question's points, what is said -------------------------

WRONG = {
    "dot products": (
        SIMILARITY, ("texts @ images.T", "text_features @ image_features.T"), 0.6,
        "these are dot products",
    ),
    "the other way": (
        SIMILARITY, ("texts @ images.T", "images @ texts.T"), 0.8,
        "a row belongs to an image here, not to a text",
    ),
    "a loop": (
        SIMILARITY,
        ("texts @ images.T", "torch.stack([images @ text for text in texts])"), 0.95,
        "a Python loop",
    ),
    "arg-max over the wrong axis": (
        ZERO_SHOT, ("argmax(dim=0)", "argmax(dim=1)"), 0.2,
        "for each text the best image was taken, not for each image the best text",
    ),
    "dot products in the classifier": (
        ZERO_SHOT,
        ("get_similarity_no_loop(text_features, image_features)",
         "text_features @ image_features.T"),
        0.85, "texts with long features win: dot products are compared, not cosines",
    ),
    "dot products in retrieval": (
        RETRIEVAL,
        ("get_similarity_no_loop(text_features, self.image_features)[0]",
         "(text_features @ self.image_features.T)[0]"),
        0.95, "images with long features win: dot products are compared, not cosines",
    ),
    "the best last": (
        RETRIEVAL, ("similarity.topk(k).indices", "similarity.argsort()[-k:]"), 0.5,
        "the best image comes last",
    ),
    "tensors": (
        RETRIEVAL, ("similarity.topk(k).indices.tolist()", "list(similarity.topk(k).indices)"),
        0.95,
        "the indices are of type Tensor, not Python ints",
    ),
    "k ignored": (RETRIEVAL, ("topk(k)", "topk(2)"), 0.7, "it returns 2 images"),
    "gradients are kept": (
        RETRIEVAL, ("    @torch.no_grad()\n    def __init__", "    def __init__"), 0.98,
        "the features that are kept hold on to the graph they were computed with",
    ),
    "gradients add up": (
        SEGMENTATION, ("            self.optimizer.zero_grad()\n", ""), 0.9,
        "a step follows gradients that are left over from the steps before: clear them",
    ),
    "a step too many": (
        SEGMENTATION, ("range(num_iters)", "range(num_iters + 1)"), 0.9,
        "num_iters = 7: the optimiser takes 8 steps",
    ),
    "one-hot as wide as what occurs": (
        SEGMENTATION,
        ("self.loss_fn(self.model(X_train), Y_train)",
         "self.loss_fn(self.model(X_train), F.one_hot(Y_train).to(X_train.dtype))"),
        0.95, "raised",
    ),
    "a graph in inference": (
        SEGMENTATION, ("    @torch.no_grad()\n", ""), 0.98,
        "inference builds a graph for gradients that nobody asks for",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_typical_mistake_loses_points_and_is_named(shared: Student, what: str) -> None:
    cell, edit, at_most, said = WRONG[what]
    found = TRIAL.verdict(
        TRIAL.with_source(shared, cell, TRIAL.changed(cell, edit)[cell]), QUESTIONS[cell]
    )
    messages = TRIAL.failed(found, advice=False)
    assert any(said in message for message in messages.values()), messages
    assert found.score <= at_most, messages


ENCODES_AGAIN = """
class CLIPImageRetriever:
    @torch.no_grad()
    def __init__(self, clip_model, clip_preprocess, images, device):
        self.clip_model = clip_model
        self.batch = torch.stack([clip_preprocess(Image.fromarray(image)) for image in images])

    @torch.no_grad()
    def retrieve(self, query: str, k: int = 2):
        images = self.clip_model.encode_image(self.batch)
        text = self.clip_model.encode_text(clip.tokenize([query]))
        return get_similarity_no_loop(text, images)[0].topk(k).indices.tolist()
"""


def test_encoding_again_costs_a_part_and_is_named(shared: Student) -> None:
    found = TRIAL.verdict(TRIAL.with_source(shared, RETRIEVAL, ENCODES_AGAIN), "retrieval")
    assert TRIAL.failed(found, advice=False) == {
        "images_are_encoded_once": "two queries encode 10 images again: keep the features"
    }
    assert 0.6 < found.score < 0.9


def test_what_the_task_leaves_open_is_advice(shared: Student) -> None:
    """A normalisation over the batch that is left in training mode: a row alone fails."""
    source = TRIAL.changed(
        SEGMENTATION,
        (
            "self.model = nn.Linear(inp_dim, num_classes).to(device)",
            "self.model = nn.Sequential(nn.BatchNorm1d(inp_dim), nn.Linear(inp_dim, num_classes))",
        ),
    )[SEGMENTATION]
    found = TRIAL.verdict(TRIAL.with_source(shared, SEGMENTATION, source), "segmentation")
    assert set(TRIAL.failed(found)) == {"a_row_alone"}
    assert found.score == 1


# Answers to nothing: each earns at most this share of its question.
EMPTY = {
    "zeros": (SIMILARITY, "def get_similarity_no_loop(a, b):\n"
              "    return torch.zeros(len(a), len(b))"),
    "the first class": (ZERO_SHOT, "def clip_zero_shot_classifier(m, p, images, texts, d):\n"
                        "    return [texts[0]] * len(images)"),
    "the first images": (RETRIEVAL, "class CLIPImageRetriever:\n    def __init__(self, *a): pass\n"
                         "    def retrieve(self, query, k=2): return list(range(k))"),
    "background": (SEGMENTATION, "class DINOSegmentation:\n    def __init__(self, *a, **m): pass\n"
                   "    def train(self, *a, **m): pass\n"
                   "    def inference(self, X): return torch.zeros(len(X), dtype=torch.long)"),
}  # fmt: skip


@pytest.mark.parametrize("what", EMPTY)
def test_an_empty_answer_earns_little(shared: Student, what: str) -> None:
    cell, source = EMPTY[what]
    found = TRIAL.verdict(TRIAL.with_source(shared, cell, source), QUESTIONS[cell])
    assert found.score <= 0.4, [c.name for c in found.checks if c.passed]


# -- nobody pays twice ----------------------------------------------------------------------------


def test_a_wrong_similarity_costs_its_own_question_only(zygote: Zygote) -> None:
    broken = "def get_similarity_no_loop(*args, **more):\n    raise OSError"
    with student_with(zygote, TRIAL.solved() | {SIMILARITY: broken}) as student:
        assert TRIAL.failed_cells(student) == {"similarity"}


def test_slips_are_told_from_right_answers() -> None:
    """A slip whose answer happens to be right is never named."""
    rng = np.random.default_rng(3)
    case = known.draw(rng, 5, 5, spread=0.0)
    want = zero_shot._best(case, case.table())
    assert all(list(wrong) != want for wrong in zero_shot._slips(case).values())
    scores = np.array([0.9, 0.5, 0.1])
    retrieval._expect([0, 1], scores, 2, retrieval._slips(scores, 2))  # right, and in order
