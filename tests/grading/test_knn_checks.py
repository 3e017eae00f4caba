"""kNN's checks: right answers of every style pass, wrong ones lose their part."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from autograder.judge.registry import checks_for
from autograder.judge.results import CellVerdict
from autograder.judge.score import Seed, grade_cell
from autograder.judge.student import Student
from autograder.notebook.template import load_template
from tests.little import ROOT, answer_source
from tests.nightly import rounds

NOTEBOOK = ("assignment1", "knn")
SETUP = """
rng = np.random.default_rng(0)
X_train, y_train = rng.normal(size=(200, 6)), rng.integers(0, 3, size=200)
num_training, num_folds = 200, 5
k_choices = [1, 3, 5, 8, 10, 12, 15, 20, 50, 100]
knn = KNearestNeighbor()
"""

PUBLIC_STYLE = """
X_train_folds = np.array_split(X_train, num_folds)
y_train_folds = np.array_split(y_train.reshape(-1, 1), num_folds)
k_to_accuracies = {}
for k in k_choices:
    k_to_accuracies.setdefault(k, [])
for i in range(num_folds):
    classifier = KNearestNeighbor()
    X_val = np.vstack(X_train_folds[:i] + X_train_folds[i + 1:])
    y_val = np.vstack(y_train_folds[:i] + y_train_folds[i + 1:])
    classifier.train(X_val, y_val[:, 0])
    for k in k_choices:
        dists = classifier.compute_distances_one_loop(X_train_folds[i])
        y_pred = classifier.predict_labels(dists, k=k)
        num_correct = np.sum(y_pred == y_train_folds[i][:, 0])
        k_to_accuracies[k] = k_to_accuracies[k] + [num_correct / len(y_pred)]
"""
EARLIER_OBJECT = """
X_train_folds, y_train_folds = np.array_split(X_train, 5), np.array_split(y_train, 5)
k_to_accuracies = {k: [] for k in k_choices}
for k in k_choices:
    for i in range(5):
        rest = [j for j in range(5) if j != i]
        knn.train(np.concatenate([X_train_folds[j] for j in rest]),
                  np.concatenate([y_train_folds[j] for j in rest]))
        hits = knn.predict(X_train_folds[i], k=k, num_loops=0) == y_train_folds[i]
        k_to_accuracies[k].append(hits.mean())
"""
SHUFFLED_INDICES = """
order = np.random.permutation(len(X_train))
parts = [order[i::num_folds] for i in range(num_folds)]
X_train_folds = [X_train[part] for part in parts]
y_train_folds = [y_train[part] for part in parts]
k_to_accuracies = {}
for k in k_choices:
    scores = np.empty(num_folds)
    for i, part in enumerate(parts):
        model = KNearestNeighbor()
        model.train(np.delete(X_train, part, axis=0), np.delete(y_train, part))
        scores[i] = np.mean(model.predict(X_train[part], k) == y_train[part])
    k_to_accuracies[k] = list(scores)
"""
RIGHT = {"public": PUBLIC_STYLE, "earlier object": EARLIER_OBJECT, "shuffled": SHUFFLED_INDICES}

# name: (source, share of the points that is left)
WRONG = {
    "counts": (EARLIER_OBJECT.replace("hits.mean()", "hits.sum()"), 0.5),
    "trains on all": (EARLIER_OBJECT.replace("if j != i", ""), 0.25),
    "trains on the fold": (EARLIER_OBJECT.replace("j != i", "j == i"), 0.25),
    "drops rows": (EARLIER_OBJECT.replace("(X_train, 5)", "(X_train[:120], 5)").replace(
        "(y_train, 5)", "(y_train[:120], 5)"), 3 / 8),
    "same fold always": (EARLIER_OBJECT.replace("j != i", "j != 0").replace("folds[i]", "folds[0]"),
        0.25),
    "one k missing": (EARLIER_OBJECT + "del k_to_accuracies[12]", 0.25),
    # Right on the notebook's data, as public solutions are.
    "even folds only": (EARLIER_OBJECT.replace("array_split", "split"), 7.5 / 8),
    "folds of a fixed width": (EARLIER_OBJECT.replace("np.array_split(X_train, 5)",
        "np.array_split(X_train.reshape(-1, 3072), 5)"), 7.5 / 8),
    "even folds of a fixed width": (EARLIER_OBJECT.replace("array_split", "split").replace(
        "np.split(X_train, 5)", "X_train.reshape(5, -1, 3072)"), 7 / 8),
    "divided by the number of test images": (EARLIER_OBJECT.replace(
        "hits.mean()", "hits.sum() / int(len(X_train) / 5)"), 7.5 / 8),
    "typed in": ("X_train_folds = np.array_split(X_train, 5)\n"
        "y_train_folds = np.array_split(y_train, 5)\n"
        "k_to_accuracies = {k: [0.3, 0.31, 0.29, 0.3, 0.3] for k in k_choices}", 0.25),
    "not written": ("raise NotImplementedError('cross-validation: write your code here')", 0.0),
}  # fmt: skip


def share(kernel, source: str, grade_id: str = "knn-cross-validation") -> float:
    return cross_validated(kernel, source, grade_id).score


def cross_validated(
    kernel, source: str, grade_id: str = "knn-cross-validation", setup: str = SETUP
) -> CellVerdict:
    assert kernel.run_cell(answer_source()).ok
    assert kernel.run_cell(setup).ok
    kernel.run_cell(source)
    kernel.run_cell("best_k = max(k_choices, key=lambda k: np.mean(k_to_accuracies[k]))")
    student = Student(kernel, {"class": answer_source(), "cross-validation": source})
    seed = Seed(b"secret", "assignment1", "knn", "ann")
    checks = checks_for("assignment1", "knn")[grade_id]
    outcome = grade_cell(student, grade_id, 1.0, checks, seed)
    assert not outcome.broken
    return outcome.verdict


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_cross_validation_passes_in_any_style(kernel, name) -> None:
    assert share(kernel, RIGHT[name]) == 1.0
    assert share(kernel, RIGHT[name], "knn-best-k") == 1.0


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_one_loses_what_is_wrong(kernel, name) -> None:
    source, left = WRONG[name]
    assert share(kernel, source) == pytest.approx(left)


SAYS = {
    "even folds only": {
        "folds_may_be_uneven": "with 133 training rows, which 5 does not divide, the cell "
        "'cross-validation' raised ValueError: array split does not result in an equal division"},
    "folds of a fixed width": {
        "rows_may_have_any_width": "with rows of 3 numbers in place of 3072, the cell "
        "'cross-validation' raised ValueError: cannot reshape"},
    "divided by the number of test images": {
        "folds_may_be_uneven": "with 133 training rows, which 5 does not divide, the shares of "},
}  # fmt: skip


@pytest.mark.parametrize("name", SAYS)
def test_what_works_in_the_notebook_costs_little_and_best_k_nothing(kernel, name) -> None:
    source, left = WRONG[name]
    found = cross_validated(kernel, source)
    assert found.score == pytest.approx(left)
    told = messages(found)
    assert set(told) == set(SAYS[name])
    assert all(part in told[check] for check, part in SAYS[name].items())
    images = SETUP.replace("(200, 6)", "(200, 3072)")
    assert cross_validated(kernel, source, "knn-best-k", images).score == 1.0


def test_best_k_does_not_depend_on_a_cell_that_fails_with_other_data(kernel) -> None:
    source = EARLIER_OBJECT.replace("X_train, 5", "X_train.reshape(200, 6), 5")
    assert share(kernel, source, "knn-best-k") == 1.0
    assert share(kernel, source) == 0


def test_a_table_that_was_typed_in_chooses_no_k(kernel) -> None:
    assert share(kernel, WRONG["typed in"][0], "knn-best-k") == 0.0


def test_the_reference_passes_whatever_the_seed(kernel) -> None:
    kernel.run_cell(answer_source())
    student = Student(kernel, {"class": answer_source()})
    by_cell = checks_for("assignment1", "knn")
    for number in rounds(25):
        seed = Seed(number.to_bytes(4, "little"), "assignment1", "knn", "ann")
        for grade_id in ("knn-two-loops", "knn-one-loop", "knn-no-loops", "knn-predict-labels"):
            verdict = grade_cell(student, grade_id, 1.0, by_cell[grade_id], seed).verdict
            failed = [c.message for c in verdict.checks if not c.passed]
            assert failed == [], (number, grade_id)


IDLE_WHEN_TIMED = """
in_full = KNearestNeighbor.compute_distances_no_loops
def compute_distances_no_loops(self, X):
    return np.zeros((len(X), len(self.X_train))) if len(X) >= 1000 else in_full(self, X)
KNearestNeighbor.compute_distances_no_loops = compute_distances_no_loops
"""


def test_whoever_does_nothing_in_the_timed_call_has_not_avoided_a_loop(kernel) -> None:
    kernel.run_cell(answer_source())
    kernel.run_cell(IDLE_WHEN_TIMED)
    student = Student(kernel, {"class": answer_source()})
    checks = checks_for("assignment1", "knn")["knn-no-loops"]
    seed = Seed(b"timed", "assignment1", "knn", "ann")
    found = grade_cell(student, "knn-no-loops", 1.0, checks, seed).verdict
    (timed,) = [c for c in found.checks if c.name == "no_loops_takes_no_time_for_a_row"]
    assert timed.message.startswith("with many rows it returns something else")


VISIBLE = "from cs231n_lib.feedback import check_equal, check_that, explained, in_one_line"
OWN_TABLE = """
k_to_accuracies = {k: [0.20 + 0.0001 * k, 0.21, 0.22, 0.23, 0.24] for k in k_choices}
for k in (10, 20, 100):
    k_to_accuracies[k] = [0.28, 0.29, 0.3, 0.31, 0.32]
k_to_accuracies[10][2] += 0.005
accuracies_mean = np.array([np.mean(k_to_accuracies[k]) for k in k_choices])
"""
BEST_K = {
    "the mean": ("best_k = max(k_choices, key=lambda k: np.mean(k_to_accuracies[k]))", 1.0),
    "the median": ("best_k = max(k_to_accuracies, key=lambda k: np.median(k_to_accuracies[k]))", 1),
    "from the table's means": ("best_k = k_choices[accuracies_mean.argmax()]", 1.0),
    "typed in after looking": ("best_k = 20", 1.0),
    "typed in, far off": ("best_k = 1", 0.0),
    "the place in the list": (
        "best_k = int(np.argmax([np.mean(k_to_accuracies[k]) for k in k_choices]))", 0.0),
    "the largest": ("best_k = max(k_to_accuracies)", 0.5),
    "the best single fold": ("best_k = max(k_choices, key=lambda k: max(k_to_accuracies[k]))", 0.5),
    "the first fold": ("best_k = max(k_choices, key=lambda k: k_to_accuracies[k][0])", 0.5),
}  # fmt: skip


@pytest.mark.parametrize("name", BEST_K)
def test_a_person_may_take_any_good_k_and_a_program_the_best(kernel, name) -> None:
    """In the student's own table 10 is best, 100 and 20 as good as that, and 1 far off."""
    assert kernel.run_cell(answer_source()).ok
    assert kernel.run_cell(SETUP).ok
    assert kernel.run_cell(OWN_TABLE).ok
    student = Student(kernel, {"class": answer_source(), "cross-validation": PUBLIC_STYLE})
    source, left = BEST_K[name]
    assert kernel.run_cell(source).ok
    student.sources["best-k"] = source
    checks = checks_for("assignment1", "knn")["knn-best-k"]
    outcome = grade_cell(
        student, "knn-best-k", 1.0, checks, Seed(b"secret", "assignment1", "knn", "ann")
    )
    assert not outcome.broken
    assert outcome.verdict.score == left, [c.message for c in outcome.verdict.checks]


@dataclass(frozen=True)
class Wrong:
    """A wrong method: an edit of ours; the share left of a question, and what is said.

    ``said`` maps each check that fails, advice aside, to a part of its message.
    """

    find: str
    put: str
    question: str
    left: float
    said: Mapping[str, str]


EXPANDED = "        test_squares = np.sum(X**2, axis=1, keepdims=True)  # (M, 1)\n"
ROOT_OF = "return np.sqrt(np.maximum(squared, 0))"
IN_FLOAT32 = """        X, rows = X.astype(np.float32), self.X_train.astype(np.float32)
        squared = np.sum(X**2, axis=1)[:, None] - 2 * X @ rows.T + np.sum(rows**2, axis=1)
        return np.sqrt(np.maximum(squared, 0))
"""
FLOAT32 = "right only to the seven digits of float32"
OFF = "differ, largest relative error"
NOTHING_RIGHT = "counts as soon as a check of the answer itself passes"
ALL_OFF = {
    "distances_are_euclidean": OFF,
    "single_rows_work": OFF,
    "pixels_are_exact": OFF,
    "no_loops_is_a_matrix_product": OFF,
}
TRANSPOSED = {
    **dict.fromkeys(ALL_OFF, "dists"),
    "distances_are_euclidean": "dists is transposed",
    "nearest_neighbour_of_a_training_image_is_itself": "dists has shape (15, 7)",
    "images_are_unchanged": NOTHING_RIGHT,
    "no_loops_has_no_loop_and_no_norm": NOTHING_RIGHT,
    "no_loops_takes_no_time_for_a_row": NOTHING_RIGHT,
}
NO_LOOP = "no_loops_has_no_loop_and_no_norm"
COST = {"no_loops_takes_no_time_for_a_row": "as much as a Python loop over the rows does"}
HERE = "of cell 'k-nearest-neighbor', in compute_distances_no_loops: "
# Weights of knn-no-loops: values 7, single rows 1, pixels 2, nearest 1, product 2, unchanged 1, no
# loop 4, its cost 1. Of knn-predict-labels: majority 3, ties 2, any labels 2, unchanged 1.
WRONGS = {
    # The distances are right, whoever votes: nobody pays twice.
    "the farthest vote, distances": Wrong(
        "np.argpartition(row, k - 1)[:k]", "np.argsort(-row)[:k]", "knn-no-loops", 1.0, {}),
    "the farthest vote": Wrong(
        "np.argpartition(row, k - 1)[:k]", "np.argsort(-row)[:k]", "knn-predict-labels", 3 / 8,
        {"majority_of_the_k_nearest_wins": "the k farthest columns vote",
         "labels_may_be_any_numbers": "self.y_train holding 1, 5 and 9: "}),
    "columns": Wrong(
        "votes = np.bincount(self.y_train[nearest])", "y_pred[i] = row.argmin(); continue",
        "knn-predict-labels", 0.0,
        {"majority_of_the_k_nearest_wins": "these are column numbers",
         "a_tie_goes_to_the_smallest_label": "won by the smallest label",
         "labels_may_be_any_numbers": "entries are wrong",
         "distances_and_labels_are_unchanged": NOTHING_RIGHT}),
    "off by half a percent, longdouble": Wrong(
        ROOT_OF, "return (1.005 * np.sqrt(np.maximum(squared, 0))).astype(np.longdouble)",
        "knn-no-loops", 7 / 19, ALL_OFF),
    "off by half a percent, float16": Wrong(
        ROOT_OF, "return (1.005 * np.sqrt(np.maximum(squared, 0))).astype(np.float16)",
        "knn-no-loops", 7 / 19, ALL_OFF),
    "all differences at once": Wrong(
        ROOT_OF, "return np.sqrt(((X[:, None] - self.X_train) ** 2).sum(axis=2))",
        "knn-no-loops", 17 / 19,
        {"no_loops_is_a_matrix_product":
         "250 test rows, 320 training rows and 1500 numbers in each it may take 384 MB of memory; "
         "all differences at once take 915 MB. Expand the square"}),
    "a disguised loop": Wrong(
        "np.sum(X**2, axis=1, keepdims=True)",
        "np.array(list(map(lambda row: np.sum(row**2), X)))[:, np.newaxis]",
        "knn-no-loops", 14 / 19,
        {NO_LOOP: HERE + "map is a loop in disguise", **COST}),
    "calls another": Wrong(
        EXPANDED, "        return self.compute_distances_one_loop(X)\n", "knn-no-loops", 14 / 19,
        {NO_LOOP: HERE + "this calls compute_distances_one_loop, and there, line ", **COST}),
    "transposed": Wrong(
        ROOT_OF, "return np.sqrt(np.maximum(squared, 0)).T", "knn-no-loops", 0.0, TRANSPOSED),
}  # fmt: skip


def graded(kernel, find: str, put: str, question: str) -> CellVerdict:
    source = answer_source()
    assert source.count(find) == 1
    source = source.replace(find, put)
    assert kernel.run_cell(source, cell="k-nearest-neighbor").ok
    student = Student(kernel, {"k-nearest-neighbor": source})
    seed = Seed(b"secret", "assignment1", "knn", "ann")
    outcome = grade_cell(student, question, 1.0, checks_for("assignment1", "knn")[question], seed)
    assert not outcome.broken
    return outcome.verdict


def messages(found: CellVerdict) -> dict[str, str]:
    return {c.name: c.message for c in found.checks if not (c.passed or c.advice)}


@pytest.mark.parametrize("name", WRONGS)
def test_a_wrong_method_gets_a_fitting_message_and_loses_its_part(kernel, name) -> None:
    wrong = WRONGS[name]
    found = graded(kernel, wrong.find, wrong.put, wrong.question)
    found_wrong = messages(found)
    assert set(found_wrong) == set(wrong.said), found_wrong
    for check, part in wrong.said.items():
        assert part in found_wrong[check]
    assert found.score == pytest.approx(wrong.left, abs=1e-3)


def test_a_product_without_blas_has_the_room_it_needs(kernel) -> None:
    product = """        product = np.einsum("md,nd->mn", X, self.X_train)
        squared = np.einsum("md,md->m", X, X)[:, None] - 2 * product
        squared += np.einsum("nd,nd->n", self.X_train, self.X_train)
"""
    found = graded(kernel, "        " + ROOT_OF, f"{product}        {ROOT_OF}", "knn-no-loops")
    assert not messages(found)
    assert found.score == found.points


def test_distances_in_float32_are_recognised_and_cost_half(kernel) -> None:
    found = graded(kernel, EXPANDED, IN_FLOAT32, "knn-no-loops")
    found_wrong = messages(found)
    assert FLOAT32 in found_wrong.pop("distances_are_euclidean")
    assert FLOAT32 in found_wrong.pop("pixels_are_exact")
    found_wrong.pop("single_rows_work", None)  # two numbers may happen to lie close together
    assert not found_wrong
    assert 0.4 < found.score < 0.55


def test_a_floor_under_the_root_is_not_taken_for_float32(kernel) -> None:
    found = graded(kernel, "np.maximum(squared, 0)", "np.maximum(squared, 1e-3)", "knn-no-loops")
    assert list(messages(found)) == ["pixels_are_exact"]
    assert "float32" not in messages(found)["pixels_are_exact"]


@pytest.mark.parametrize(
    ("cell", "grade_id", "source"),
    [
        (
            "cross-validation",
            "knn-cross-validation",
            "num_folds = 5\nX_train_folds = fold_up(X_train)",
        ),
        ("best-k", "knn-best-k", "best_k = k_choices[\n    best_of(k_to_accuracies)]"),
    ],
)
def test_a_cell_that_raises_is_named(kernel, cell, grade_id, source) -> None:
    for line in (answer_source(), SETUP, OWN_TABLE, "best_k = 10"):
        assert kernel.run_cell(line).ok
    student = Student(kernel, {"class": answer_source(), "cross-validation": PUBLIC_STYLE})
    student.sources[cell] = source
    checks = checks_for("assignment1", "knn")[grade_id]
    seed = Seed(b"secret", "assignment1", "knn", "ann")
    found_wrong = messages(grade_cell(student, grade_id, 1.0, checks, seed).verdict)
    assert any(f"the cell {cell!r} raised NameError" in said for said in found_wrong.values())
    assert any(f"(line 2 of cell {cell!r}" in said for said in found_wrong.values())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("even folds only", "133 training rows of 3072 numbers"),
        ("folds of a fixed width", "130 training rows of 3 numbers"),
    ],
)
def test_the_visible_check_shows_it_before_it_is_handed_in(kernel, name, data) -> None:
    images = SETUP.replace("(200, 6)", "(200, 3072)")
    visible = {cell["id"]: cell["source"] for cell in load_template(ROOT, *NOTEBOOK).cells}
    for source, said in ((RIGHT["earlier object"], ""), (WRONG[name][0], "ValueError")):
        cell = f"# k_to_accuracies = {{}}\n{source}"
        for line in (answer_source(), images, VISIBLE, cell):
            assert kernel.run_cell(line).ok
        run = kernel.run_cell(visible["knn-cross-validation"].replace("hidden.check", "print"))
        assert run.ok is not bool(said)
        assert said in str(run.outputs)
        assert f"your cell with {data if said else 'other training data'}" in str(run.outputs)
