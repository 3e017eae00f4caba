"""kNN's cross-validation checks: right answers of every style pass, wrong ones lose their part."""

import pytest

from autograder.judge.registry import checks_for
from autograder.judge.score import Seed, grade_cell
from autograder.judge.student import Student
from little import answer_source

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
    "drops rows": (EARLIER_OBJECT.replace("(X_train, 5)", "(X_train[:130], 5)").replace(
        "(y_train, 5)", "(y_train[:130], 5)"), 0.5),
    "same fold always": (EARLIER_OBJECT.replace("j != i", "j != 0").replace("folds[i]", "folds[0]"),
        0.25),
    "one k missing": (EARLIER_OBJECT + "del k_to_accuracies[12]", 0.25),
    "typed in": ("X_train_folds = np.array_split(X_train, 5)\n"
        "y_train_folds = np.array_split(y_train, 5)\n"
        "k_to_accuracies = {k: [0.3, 0.31, 0.29, 0.3, 0.3] for k in k_choices}", 0.25),
    "not written": ("raise NotImplementedError('cross-validation: write your code here')", 0.0),
}  # fmt: skip


def share(kernel, source: str, grade_id: str = "knn-cross-validation") -> float:
    assert kernel.run_cell(answer_source()).ok
    assert kernel.run_cell(SETUP).ok
    kernel.run_cell(source)
    kernel.run_cell("best_k = max(k_choices, key=lambda k: np.mean(k_to_accuracies[k]))")
    student = Student(kernel, {"class": answer_source(), "cross-validation": source})
    seed = Seed(b"secret", "assignment1", "knn", "ann")
    checks = checks_for("assignment1", "knn")[grade_id]
    outcome = grade_cell(student, grade_id, 1.0, checks, seed)
    assert not outcome.broken
    return outcome.verdict.score


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_cross_validation_passes_in_any_style(kernel, name) -> None:
    assert share(kernel, RIGHT[name]) == 1.0
    assert share(kernel, RIGHT[name], "knn-best-k") == 1.0


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_one_loses_what_is_wrong(kernel, name) -> None:
    source, left = WRONG[name]
    assert share(kernel, source) == pytest.approx(left)


def test_a_table_that_was_typed_in_chooses_no_k(kernel) -> None:
    assert share(kernel, WRONG["typed in"][0], "knn-best-k") == 0.0


def test_the_reference_passes_whatever_the_seed(kernel) -> None:
    kernel.run_cell(answer_source())
    student = Student(kernel, {"class": answer_source()})
    by_cell = checks_for("assignment1", "knn")
    for number in range(25):
        seed = Seed(number.to_bytes(4, "little"), "assignment1", "knn", "ann")
        for grade_id in ("knn-two-loops", "knn-one-loop", "knn-no-loops", "knn-predict-labels"):
            verdict = grade_cell(student, grade_id, 1.0, by_cell[grade_id], seed).verdict
            failed = [c.message for c in verdict.checks if not c.passed]
            assert failed == [], (number, grade_id)


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
