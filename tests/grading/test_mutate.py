"""Mutation testing through real kernels, on the little course; right solutions in all styles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.cli.main import main
from autograder.judge.zygote import Zygote
from autograder.mutate import mutants
from autograder.mutate.fairness import alternatives, grade_repeatedly, repeat, solution
from autograder.mutate.run import ReferenceFailed, measure, workers
from autograder.mutate.score import automatic_score, by_check, by_hand_score, good_enough, survivors
from autograder.mutate.trial import Key, load_subject, quickly, thoroughly
from tests.little import SOURCE, write_course

ROOT = Path(__file__).parents[2]
VOTE = "KNearestNeighbor.predict_labels"

WRONG = f"""
[[mutant]]
of = "{VOTE}"
what = "the largest label wins a tie"
find = "np.argmax(votes)"
put = "len(votes) - 1 - np.argmax(votes[::-1])"

[[mutant]]
of = "{VOTE}"
what = "no mistake at all: a float division that changes nothing"
find = "y_pred[i] = np.argmax(votes)"
put = "y_pred[i] = np.argmax(votes) / 1.0"
"""
EQUIVALENT = f"""
[[equivalent]]
of = "{VOTE}"
find = "y_pred = np.zeros(len(dists), dtype=np.asarray(self.y_train).dtype)"
put = "y_pred = np.ones(len(dists), dtype=np.asarray(self.y_train).dtype)"
reason = "every entry is overwritten"

[[equivalent]]
of = "{VOTE}"
find = "no such line"
put = "anywhere"
reason = "it was there last year"
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with workers(2) as executor:
        yield executor


@pytest.fixture
def by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(mutants, "MUTANTS", tmp_path)
    folder = tmp_path / "assignment1" / "knn"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def measured(course, pool, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mutants") / "assignment1" / "knn"
    folder.mkdir(parents=True)
    (folder / "wrong.toml").write_text(WRONG)
    (folder / "equivalent.toml").write_text(EQUIVALENT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mutants, "MUTANTS", folder.parents[1])
        return measure(course, "assignment1", "knn", pool, only=VOTE)


def test_mistakes_are_noticed_and_harmless_changes_survive(measured) -> None:
    tie, harmless = (o for o in measured.outcomes if o.mutant.by_hand)
    assert ("knn-predict-labels", "a_tie_goes_to_the_smallest_label") in tie.killed_by
    assert harmless in survivors(measured)
    assert str(by_hand_score(measured)) == "1/2"
    assert not good_enough(measured)
    automatic = automatic_score(measured)
    assert automatic.equivalent == 1
    assert automatic.killed >= 10
    assert all(o.mutant.of == VOTE for o in measured.outcomes)


def test_every_check_is_reported_with_what_it_noticed(measured) -> None:
    noticed = {(question, check): number for question, check, number, _ in by_check(measured)}
    tie = noticed["knn-predict-labels", "a_tie_goes_to_the_smallest_label"]
    assert 5 < tie.killed <= tie.counted < len(measured.outcomes)
    other = noticed["knn-two-loops", "distances_are_euclidean"]  # does not depend on the vote
    assert (other.killed, other.counted) == (0, 0)


def test_a_stale_equivalent_is_found_out(course, pool, by_hand) -> None:
    entry = EQUIVALENT.rpartition("[[equivalent]]")
    (by_hand / "equivalent.toml").write_text(f"[[equivalent]]{entry[2]}")
    source = json.loads((course / "source/assignment1/knn.ipynb").read_text())
    keep = ("imports", "k-nearest-neighbor", "knn-predict-labels")
    source["cells"] = [cell for cell in source["cells"] if cell["id"] in keep]
    small = by_hand / "course"
    (small / "source" / "assignment1").mkdir(parents=True)
    (small / "source" / "assignment1" / "knn.ipynb").write_text(json.dumps(source))
    measured = measure(small, "assignment1", "knn", pool)
    assert [entry.find for entry in measured.unused] == ["no such line"]
    assert not good_enough(measured)


def test_a_wrong_reference_is_no_yardstick(course, pool, by_hand, tmp_path) -> None:
    text = (course / "source/assignment1/knn.ipynb").read_text()
    folder = tmp_path / "wrong" / "source" / "assignment1"
    folder.mkdir(parents=True)
    (folder / "knn.ipynb").write_text(text.replace("np.argmax(votes)", "np.argmin(votes)"))
    with pytest.raises(ReferenceFailed, match="majority_of_the_k_nearest_wins"):
        measure(tmp_path / "wrong", "assignment1", "knn", pool, only=VOTE)


def test_flakes_are_counted(course, pool, by_hand, zygote) -> None:
    (rate,) = repeat(course, "assignment1", "knn", 6, pool)
    assert (rate.solution, rate.times, rate.flakes) == ("reference", 6, 0)
    subject = load_subject(course, "assignment1", "knn")
    right = "return y_pred"
    wrong_now_and_then = "return y_pred + (dists[0, 0] < 0.2 * dists.shape[1])"
    source = subject.document["cells"][1]["source"].replace(right, wrong_now_and_then)
    sometimes = subject.with_cell("k-nearest-neighbor", source)
    failed = grade_repeatedly(subject, sometimes, zygote, range(8))
    assert 0 < sum(map(bool, failed)) < len(failed) == 8, "numbers differ from seed to seed"
    assert all(question == "knn-predict-labels" for once in failed for question, _ in once)


def test_the_command_line_reports_and_exits(course, by_hand) -> None:
    run = CliRunner().invoke
    unknown = run(main, ["mutate", "assignment1", "nothing", "--root", str(course)])
    assert (unknown.exit_code, "there are: knn" in unknown.output) == (2, True)
    (by_hand / "wrong.toml").write_text("[[mutant]]\nof = 'nowhere'\n")
    misfit = run(main, ["mutate", "assignment1", "knn", "--root", str(course)])
    assert (misfit.exit_code, "wrong.toml" in misfit.output) == (2, True)
    (by_hand / "wrong.toml").write_text(WRONG)
    table = by_hand / "table.md"
    options = ["--only", VOTE, "--json", "--jobs", "2", "--document", str(table)]
    done = run(main, ["mutate", "assignment1", "knn", *options, "--root", str(course)])
    assert done.exit_code == 1, "a hand-written mutant survived"
    (knn,) = json.loads(done.stdout)
    assert knn["by_hand"] == {"killed": 1, "counted": 2, "equivalent": 0}
    assert f"| `{VOTE}` |" in table.read_text()


COURSE = sorted((path.parent.name, path.stem) for path in SOURCE.parents[1].glob("*/*.ipynb"))
OTHERS = [(*name, other) for name in COURSE for other in alternatives(*name)]


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("assignment", "notebook", "path"), OTHERS, ids=lambda v: getattr(v, "stem", v)
)
def test_right_solutions_in_other_styles_get_full_marks(assignment, notebook, path, zygote) -> None:
    subject = load_subject(ROOT, assignment, notebook)
    assert thoroughly(subject, solution(subject, path), zygote) == {}


@pytest.mark.parametrize(
    ("assignment", "notebook", "path"),
    [other for other in OTHERS if other[1] in ("knn", "svm", "softmax")],
    ids=lambda v: getattr(v, "stem", v),
)
def test_right_solutions_in_other_styles_pass(assignment, notebook, path, zygote) -> None:
    """All that ours pass with nothing but the definitions: where nothing has been trained.

    Of the other notebooks, the tests of their own checks try these solutions.
    """
    subject = load_subject(ROOT, assignment, notebook)
    ours = untrained(assignment, notebook, zygote)
    assert len(ours) < sum(map(len, subject.checks.values())) / 2, "hardly anything was asked"
    assert quickly(subject, solution(subject, path), zygote).keys() <= ours


@cache
def untrained(assignment: str, notebook: str, zygote: Zygote) -> frozenset[Key]:
    """The checks that our solution fails while it is untrained."""
    subject = load_subject(ROOT, assignment, notebook)
    return frozenset(quickly(subject, solution(subject, None), zygote))


@pytest.mark.parametrize(("assignment", "notebook"), COURSE)
def test_there_are_two_other_right_solutions(assignment, notebook) -> None:
    assert len(alternatives(assignment, notebook)) >= 2
