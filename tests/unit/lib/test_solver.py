"""The Solver against a plain loop written here, and what it says when something does not fit."""

# ruff: noqa: NPY002 (that np.random.seed works is a feature)

import os
import pickle
import pty
import re
import subprocess
import sys
import termios
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from cs231n_lib import progress
from cs231n_lib.solver import Solver

Config = dict[str, Any]


class Linear:
    """Scores X @ W + b, half the mean squared distance to one-hot labels: gradients are short."""

    def __init__(self, dtype: type = np.float64, outputs: int = 3) -> None:
        self.params = {"W": np.zeros((4, outputs), dtype), "b": np.zeros(outputs, dtype)}
        self.rows: list[np.ndarray] = []  # what it was trained on

    def loss(self, X: np.ndarray, y: np.ndarray | None = None) -> Any:
        scores = X @ self.params["W"] + self.params["b"]
        if y is None:
            return scores
        self.rows.append(X)
        error = (scores - np.eye(scores.shape[1], dtype=X.dtype)[y]) / len(X)
        loss = 0.5 * len(X) * np.sum(error**2)
        return loss, {"W": X.T @ error, "b": error.sum(axis=0)}


def descend(w: np.ndarray, dw: np.ndarray, config: Config) -> tuple[np.ndarray, Config]:
    """An update in place, as CS231n's own rule does it."""
    w -= config.setdefault("learning_rate", 0.1) * dw
    return w, config


def with_momentum(w: np.ndarray, dw: np.ndarray, config: Config) -> tuple[np.ndarray, Config]:
    """An update out of place, with a state of its own for each parameter."""
    speed = 0.9 * config.get("speed", np.zeros_like(w)) - config["learning_rate"] * dw
    return w + speed, config | {"speed": speed}


def easy_data(count: int = 200, dtype: type = np.float64, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(count + 60, 4)).astype(dtype)
    y = X[:, :3].argmax(axis=1)
    return {"X_train": X[:count], "y_train": y[:count], "X_val": X[count:], "y_val": y[count:]}


def solver(model: Linear | None = None, data: Any = None, **options: Any) -> Solver:
    options = {"update_rule": descend, "seed": 0, "verbose": False} | options
    return Solver(model or Linear(), data or easy_data(), **options)


def test_same_as_a_plain_loop() -> None:
    """Iterations an epoch, rows with replacement, decay, and the best parameters at the end."""
    data = easy_data()
    rng = np.random.default_rng(7)
    plain, rate, losses, train, val, best = Linear(), 2.0, [], [], [], (-1.0, {})
    for iteration in range(12):  # 200 // 64 = 3 an epoch
        rows = rng.integers(200, size=64)
        loss, grads = plain.loss(data["X_train"][rows], data["y_train"][rows])
        losses.append(loss)
        for name, grad in grads.items():
            plain.params[name] = plain.params[name] - rate * grad
        if (iteration + 1) % 3 == 0:
            rate *= 0.9
        if iteration == 0 or (iteration + 1) % 3 == 0:
            for split, history in (("train", train), ("val", val)):
                right = plain.loss(data[f"X_{split}"]).argmax(axis=1) == data[f"y_{split}"]
                history.append(right.mean())
            if val[-1] > best[0]:
                best = val[-1], {name: w.copy() for name, w in plain.params.items()}
    ours = solver(
        data=data, batch_size=64, num_epochs=4, lr_decay=0.9, seed=7,
        optim_config={"learning_rate": 2.0}, num_train_samples=None,
    )  # fmt: skip
    ours.train()
    np.testing.assert_allclose(ours.loss_history, losses, rtol=1e-12)
    assert ours.train_acc_history == train
    assert ours.val_acc_history == val
    assert val[-1] < max(val), "this run must show that the last parameters are not the best"
    assert ours.best_val_acc == best[0]
    assert ours.epoch == 4
    assert [config["learning_rate"] for config in ours.optim_configs.values()] == [rate, rate]
    for name, w in best[1].items():
        np.testing.assert_allclose(ours.model.params[name], w, rtol=1e-12)
        np.testing.assert_array_equal(ours.best_params[name], ours.model.params[name])


def test_each_parameter_has_its_own_config_and_the_given_one_is_left_alone() -> None:
    given = {"learning_rate": 0.1}
    ours = solver(update_rule=with_momentum, optim_config=given, num_epochs=2)
    ours.train()
    assert given == {"learning_rate": 0.1}
    assert ours.optim_configs["W"]["speed"].shape == (4, 3)
    assert ours.optim_configs["b"]["speed"].shape == (3,)


def test_defaults() -> None:
    ours = Solver(Linear(), easy_data(), update_rule=descend)
    assert (ours.lr_decay, ours.batch_size, ours.num_epochs) == (1.0, 100, 10)
    assert (ours.num_train_samples, ours.num_val_samples, ours.print_every) == (1000, None, 10)
    assert (ours.checkpoint_name, ours.verbose, ours.optim_config) == (None, True, {})
    assert ours.optim_configs == {"W": {}, "b": {}}
    assert (ours.loss_history, ours.best_params, ours.best_val_acc, ours.epoch) == ([], {}, 0, 0)


def test_fewer_examples_than_a_minibatch() -> None:
    model = Linear()
    ours = solver(model, easy_data(count=7), batch_size=100, num_epochs=3)
    ours.train()
    assert [len(rows) for rows in model.rows] == [100] * 3, "with replacement; one step an epoch"
    assert len(ours.loss_history) == 3
    assert len(ours.val_acc_history) == 1 + 3 - 1  # the first iteration ends the first epoch


def test_nothing_learned_still_leaves_parameters() -> None:
    """An accuracy of 0 throughout must not replace the parameters by nothing."""
    data = easy_data()
    data["y_val"] = np.full(60, 99)
    ours = solver(data=data, num_epochs=1)
    ours.train()
    assert ours.best_val_acc == 0
    assert set(ours.model.params) == {"W", "b"}
    idle = solver(num_epochs=0)
    idle.train()
    assert set(idle.model.params) == {"W", "b"}
    assert idle.loss_history == []


def test_float32_stays_float32() -> None:
    model = Linear(np.float32)
    solver(model, easy_data(dtype=np.float32), num_epochs=2).train()
    assert {w.dtype for w in model.params.values()} == {np.dtype(np.float32)}
    assert {rows.dtype for rows in model.rows} == {np.dtype(np.float32)}


def test_a_second_train_goes_on_and_keeps_the_best_apart() -> None:
    ours = solver(num_epochs=2)
    ours.train()
    first_best = {name: w.copy() for name, w in ours.best_params.items()}
    ours.best_val_acc = 1.1  # so that nothing later is better
    ours.train()
    assert ours.epoch == 4
    assert len(ours.loss_history) == 8
    assert len(ours.val_acc_history) == 6
    for name, w in first_best.items():
        np.testing.assert_array_equal(ours.best_params[name], w)  # though `descend` is in place


def test_seed_or_numpys_global_generator() -> None:
    def losses(**options: Any) -> list[float]:
        ours = solver(num_epochs=2, **options)
        ours.train()
        return ours.loss_history

    np.random.seed(3)
    assert losses(seed=1) == losses(seed=1) != losses(seed=2)
    state = np.random.get_state()[1:3]
    np.random.seed(3)
    assert np.array_equal(state[0], np.random.get_state()[1]), "a seed leaves NumPy's alone"
    first = losses(seed=None)
    np.random.seed(3)
    assert losses(seed=None) == first != losses(seed=None)


def test_accuracy_of_all_or_of_a_sample() -> None:
    model = Linear()
    model.params["b"][1] = 1.0  # everything is class 1
    ours = solver(model)
    X, y = np.zeros((250, 4)), np.repeat([0, 1], [50, 200])
    assert ours.check_accuracy(X, y) == 0.8
    assert ours.check_accuracy(X, y, batch_size=7) == 0.8
    assert ours.check_accuracy(X, y, num_samples=1000) == 0.8
    sampled = {ours.check_accuracy(X, y, num_samples=10) for _ in range(20)}
    assert len(sampled) > 1
    assert {round(10 * part, 6) % 1 for part in sampled} == {0}


def test_samples_bound_what_is_measured() -> None:
    sizes: list[int] = []

    class Counting(Linear):
        def loss(self, X: np.ndarray, y: np.ndarray | None = None) -> Any:
            if y is None:
                sizes.append(len(X))
            return super().loss(X, y)

    solver(
        Counting(), num_train_samples=30, num_val_samples=20, num_epochs=1, batch_size=200
    ).train()
    assert sizes == [30, 20]


def test_images_of_any_shape() -> None:
    class Flattening(Linear):
        def loss(self, X: np.ndarray, y: np.ndarray | None = None) -> Any:
            return super().loss(X.reshape(len(X), -1), y)

    data = {k: v.reshape(-1, 1, 2, 2) if k[0] == "X" else v for k, v in easy_data().items()}
    ours = solver(Flattening(), data)
    ours.train()
    assert ours.best_val_acc > 0.6


# Checkpoints


def test_resuming_ends_where_the_run_without_a_break_ends(tmp_path: Path) -> None:
    options: Config = {"update_rule": with_momentum, "optim_config": {"learning_rate": 0.3}}
    options |= {"lr_decay": 0.7, "seed": 5, "num_train_samples": 50}
    whole = solver(num_epochs=6, checkpoint_name=tmp_path / "run", **options)
    whole.train()
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"run_epoch_{n}.pkl" for n in range(7)]
    model = Linear()
    rest = solver(model, num_epochs=6, **options | {"seed": 99})  # the file brings the state along
    rest.resume(tmp_path / "run_epoch_3.pkl")
    assert rest.epoch == 3
    rest.train()
    assert len(model.rows) == 3 * 2, "only what was left"
    for name in ("loss_history", "train_acc_history", "val_acc_history", "best_val_acc", "epoch"):
        assert getattr(rest, name) == getattr(whole, name), name
    for name, w in whole.model.params.items():
        np.testing.assert_array_equal(rest.model.params[name], w)


def test_checkpoint_is_a_dict_that_needs_no_class(tmp_path: Path) -> None:
    ours = solver(num_epochs=1, checkpoint_name=str(tmp_path / "new" / "run"))
    ours.train()
    path = tmp_path / "new" / "run_epoch_1.pkl"
    assert not re.search(rb"test_solver|Linear", path.read_bytes())
    state = pickle.loads(path.read_bytes())
    assert state["epoch"] == 1
    assert state["loss_history"] == ours.loss_history
    assert state["update_rule"] == "descend"
    assert set(state["params"]) == {"W", "b"}
    assert state["optim_config"] == {}


def test_checkpoints_of_another_model_or_none_at_all(tmp_path: Path) -> None:
    solver(num_epochs=1, checkpoint_name=tmp_path / "run").train()
    other = solver(Linear(outputs=5))
    with pytest.raises(ValueError, match=r"'W': \(4, 3\).*the model has.*\(4, 5\)"):
        other.resume(tmp_path / "run_epoch_1.pkl")
    assert other.epoch == 0
    (tmp_path / "text").write_text("hello")
    (tmp_path / "list").write_bytes(pickle.dumps([1]))
    for name, message in (("text", "cannot be unpickled"), ("list", "not a checkpoint")):
        with pytest.raises(ValueError, match=f"{name}: {message}.*_epoch_<n>.pkl"):
            other.resume(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        other.resume(tmp_path / "run_epoch_7.pkl")


class Intruder:
    def __reduce__(self) -> Any:
        return exec, ("import sys; sys.intruded = True",)


@pytest.mark.parametrize("protocol", range(3, pickle.HIGHEST_PROTOCOL + 1))
def test_no_code_in_a_checkpoint_is_run(tmp_path: Path, protocol: int) -> None:
    ours = solver(num_epochs=1, checkpoint_name=tmp_path / "run")
    ours.train()
    path = tmp_path / "run_epoch_1.pkl"
    state = pickle.loads(path.read_bytes())
    path.write_bytes(pickle.dumps(state, protocol))
    ours.resume(path)  # this is how an honest file looks in any protocol
    hostile = [("note", Intruder(), "builtins.exec")]
    hostile += [("epoch", np.array([Intruder()], object), "an array of object")]
    for name, value, what in hostile:
        path.write_bytes(pickle.dumps(state | {name: value}, protocol))
        with pytest.raises(ValueError, match=f"run_epoch_1.pkl: refused.*{what}"):
            ours.resume(path)
    assert not hasattr(sys, "intruded")


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    ours = solver(num_epochs=1, checkpoint_name=tmp_path / "run", optim_config={"on": Path("x")})
    with pytest.raises(ValueError, match=r"checkpoint holds arrays and plain values.*pathlib"):
        ours.train()
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = solver(num_epochs=1, checkpoint_name=tmp_path / "run")
    ours.train()
    before = (tmp_path / "run_epoch_1.pkl").read_bytes()

    def fails(old: Path, new: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OSError, match="disk full"):
        ours._save_checkpoint()
    assert (tmp_path / "run_epoch_1.pkl").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


# The update rule


def test_a_rule_by_name_is_the_notebooks(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"no update rule 'sgd'.*Run the cell that defines sgd"):
        Solver(Linear(), easy_data())
    monkeypatch.setattr(sys.modules["__main__"], "sgd", descend, raising=False)
    assert Solver(Linear(), easy_data()).update_rule is descend
    with pytest.raises(ValueError, match="no update rule 'adam'"):
        Solver(Linear(), easy_data(), update_rule="adam")


def test_a_rule_by_name_is_also_looked_for_beside_the_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As after `net = load("two_layer_net")`: both are in that module."""
    notebook = ModuleType("cs231n_notebook_two_layer_net")
    notebook.sgd = descend  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, notebook.__name__, notebook)
    model = type("Net", (Linear,), {"__module__": notebook.__name__})()
    assert Solver(model, easy_data(), update_rule="sgd").update_rule is descend
    monkeypatch.setattr(sys.modules["__main__"], "sgd", with_momentum, raising=False)
    assert Solver(model, easy_data()).update_rule is with_momentum, "this notebook's comes first"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lambda w, dw, config: w, "must return .w, config.*for W it returned a ndarray"),
        (lambda w, dw, config: (w, None), "must return .w, config"),
        (lambda w, dw, config: (w.sum(), config), r"turned W of shape \(4, 3\) into \(\)"),
    ],
)
def test_rules_that_return_something_else(rule: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        solver(update_rule=rule).train()


def test_decay_needs_a_learning_rate() -> None:
    ours = solver(update_rule=lambda w, dw, config: (w - dw, config), lr_decay=0.9)
    with pytest.raises(ValueError, match="no 'learning_rate' to decay"):
        ours.train()
    solver(update_rule=lambda w, dw, config: (w - dw, config), num_epochs=1).train()


# What does not fit


def test_unknown_keywords_are_named() -> None:
    with pytest.raises(ValueError, match="no keyword epochs, learning_rate"):
        solver(learning_rate=1e-3, epochs=2)


@pytest.mark.parametrize("name", ["batch_size", "print_every"])
def test_sizes_of_zero(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is 0; it must be at least 1"):
        solver(**{"verbose": True, name: 0})


@pytest.mark.parametrize("silent", [-1, 0, None, 100])
def test_a_solver_that_prints_nothing_takes_any_print_every(
    silent: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in the course: ``Solver(..., print_every=-1, verbose=False)`` stands in many answers."""
    solver(print_every=silent, verbose=False).train()
    assert capsys.readouterr().out == ""


def test_minus_two_prints_every_second_iteration_as_in_the_course(
    capsys: pytest.CaptureFixture[str],
) -> None:
    solver(print_every=-2, verbose=True, num_epochs=2).train()
    lines = capsys.readouterr().out.splitlines()
    shown = [line.split(")")[0] for line in lines if line.startswith("(iteration")]
    assert shown == ["(iteration 1 / 4", "(iteration 3 / 4"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X_val": None}, "the data have no X_val; they have X_train, y_train, y_val"),
        ({"y_train": np.zeros(200)}, "y_train must be a vector of whole numbers.*float64"),
        ({"y_train": np.zeros((200, 1), int)}, r"y_train must be a vector.*\(200, 1\)"),
        ({"y_train": np.zeros(5, int)}, r"X_train has shape \(200, 4\) and y_train .*\(5,\)"),
        ({"X_val": np.zeros((0, 4)), "y_val": np.zeros(0, int)}, "X_val.*at least one"),
    ],
)
def test_data_that_do_not_fit(change: dict[str, Any], message: str) -> None:
    data = {name: value for name, value in (easy_data() | change).items() if value is not None}
    with pytest.raises(ValueError, match=message):
        solver(data=data)


@pytest.mark.parametrize(
    ("grads", "message"),
    [
        ({"W": np.zeros((4, 3))}, r"gradient for each of \['W', 'b'\]; it returned \['W'\]"),
        ({"W": np.zeros((4, 3)), 1: 0}, r"it returned \[1, 'W'\]"),
        ({"W": np.zeros((4, 3)), "b": np.zeros(3), "c": 0}, r"it returned \['W', 'b', 'c'\]"),
        (np.zeros(3), "it returned a ndarray"),
        (
            {"W": np.zeros((4, 3)), "b": np.zeros((1, 3))},
            r"gradient of b has shape \(1, 3\), but b has shape \(3,\)",
        ),
    ],
)
def test_gradients_that_do_not_fit(grads: object, message: str) -> None:
    model = Linear()
    model.loss = lambda X, y=None: (1.0, grads)  # type: ignore[method-assign]
    with pytest.raises(ValueError, match=message):
        solver(model).train()


# What is printed


def test_lines_go_to_stdout_and_no_bar_is_drawn_where_nobody_watches(
    capfd: pytest.CaptureFixture[str],
) -> None:
    solver(verbose=True, num_epochs=2, print_every=3).train()
    out, err = capfd.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert [line[: line.index(")") + 1] for line in lines] == [
        "(iteration 1 / 4)", "(epoch 0 / 2)", "(epoch 1 / 2)", "(iteration 4 / 4)", "(epoch 2 / 2)",
    ]  # fmt: skip
    assert re.fullmatch(r"\(epoch 2 / 2\) train acc: 0\.\d{3}; val acc: 0\.\d{3}", lines[-1])
    solver(verbose=False).train()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("kernel", "variables", "watched"),
    [
        (True, {}, False),
        (True, {"JPY_SESSION_NAME": "svm.ipynb"}, True),
        (True, {"COLAB_RELEASE_TAG": "r1"}, True),
        (False, {"JPY_SESSION_NAME": "svm.ipynb"}, False),  # stderr is no terminal
    ],
)
def test_who_watches(
    kernel: bool, variables: dict[str, str], watched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in progress._WATCHED:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if kernel:
        monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    else:
        monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    assert progress.is_interactive() is watched


def test_a_terminal_gets_a_bar_and_whole_lines() -> None:
    script = (
        "import time, sys\n"
        "from cs231n_lib.progress import progress_bar\n"
        "with progress_bar(3, 'it', show=True) as bar:\n"
        "    for n in range(3):\n"
        "        time.sleep(0.15); bar.write(f'line {n}'); bar.update()\n"
    )
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    os.set_blocking(ours, False)  # nothing drawn is an error, not a wait
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=theirs)
    drawn = os.read(ours, 1 << 16).decode()
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 0
    assert done.stdout.decode().splitlines() == ["line 0", "line 1", "line 2"]
    assert "3it" in drawn or "/3 [" in drawn
