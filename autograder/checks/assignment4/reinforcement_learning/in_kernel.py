"""The student's agents at work; the kernel gets this file as source.

Letters: S states, A actions, T steps. What a question builds on is answered by the judge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Notebook = Any  # a dict of names that can run cells
Asks = Callable[..., Any]


# -- acting ---------------------------------------------------------------------------------------


def actions(notebook: Notebook, q_values: Any, epsilon: float, seed: int, count: int) -> Any:
    """So many actions from one generator, and the values afterwards."""
    rng, values = np.random.default_rng(seed), q_values.copy()
    found = [defined(notebook, "epsilon_greedy")(values, epsilon, rng) for _ in range(count)]
    return {"actions": found, "values": values}


def actions_again(notebook: Notebook, q_values: Any, epsilon: float, seed: int, count: int) -> Any:
    """The same twice, while the global generators stand somewhere else each time."""
    found = []
    for other in (1, 2):
        np.random.seed(other)  # noqa: NPY002 (these are the ones that should not matter)
        torch.manual_seed(other)
        found.append(actions(notebook, q_values, epsilon, seed, count)["actions"])
    return found


# -- worlds with a table --------------------------------------------------------------------------


class World:
    """A world of gymnasium's kind, whose every step is taken in the judge."""

    def __init__(self, notebook: Notebook, reset: Asks, step: Asks, S: int, A: int) -> None:
        spaces = notebook["gymnasium"].spaces
        self.observation_space, self.action_space = spaces.Discrete(S), spaces.Discrete(A)
        self._reset, self._step = reset, step

    @property
    def unwrapped(self) -> World:
        return self

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict]:
        return int(self._reset(None if seed is None else int(seed))), {}

    def step(self, action: Any) -> tuple[int, float, bool, bool, dict]:
        number = int(action)
        if not self.action_space.contains(number):
            raise ValueError(f"there is no action {number}")
        state, reward, terminated, truncated = self._step(number)
        return int(state), float(reward), bool(terminated), bool(truncated), {}

    def close(self) -> None:
        """There is nothing to close."""


def learned(
    notebook: Notebook, cell: str, asks: dict[str, Asks], sizes: list[int], options: dict[str, Any]
) -> dict[str, Any]:
    """What train_q_learning returns; acting and updating are the judge's."""

    def epsilon_greedy(q_values: Any, epsilon: float, rng: Any) -> int:
        values = np.array(q_values, np.float64)
        return int(asks["choose"](values, float(epsilon), float(rng.random()), float(rng.random())))

    def q_learning_update(
        Q: Any, s: Any, a: Any, r: Any, s_next: Any, terminated: Any, alpha: float, gamma: float
    ) -> float:
        row = np.array(Q[s_next], np.float64)
        now, reward = float(Q[s, a]), float(r)
        value, error = asks["learn"](now, row, reward, bool(terminated), float(alpha), float(gamma))
        Q[s, a] = value
        return float(error)

    notebook["epsilon_greedy"], notebook["q_learning_update"] = epsilon_greedy, q_learning_update
    notebook.run(cell)
    world = World(notebook, asks["reset"], asks["step"], *sizes)
    Q, returns = defined(notebook, "train_q_learning")(world, **options)
    return {"Q": Q, "returns": returns}


# -- losses ---------------------------------------------------------------------------------------


class Answered(torch.autograd.Function):
    """The policy-gradient loss, value and gradient of the judge's; its weights are constants."""

    @staticmethod
    def forward(ctx: Any, ask: Asks, logits: Tensor, taken: Tensor, advantages: Tensor) -> Tensor:
        answer = ask(logits.detach(), taken.detach(), advantages.detach())
        ctx.save_for_backward(answer["grad"])
        return answer["loss"]

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        return None, upstream[0] * ctx.saved_tensors[0], None, None


def policy_loss(notebook: Notebook, logits: Tensor, taken: Tensor, advantages: Tensor) -> Any:
    """policy_gradient_loss, and its gradients with respect to logits and advantages."""
    leaves = [logits.clone().requires_grad_(), advantages.clone().requires_grad_()]
    loss = defined(notebook, "policy_gradient_loss")(leaves[0], taken, leaves[1])
    return outcome(loss, leaves)


def both_losses(
    notebook: Notebook, cell: str, ask: Asks, numbers: dict[str, Tensor], taken: Tensor,
    terminated: Tensor, gamma: float,
) -> dict[str, Any]:  # fmt: skip
    """actor_critic_losses over the judge's policy-gradient loss, with all gradients."""

    def policy_gradient_loss(logits: Tensor, actions: Tensor, advantages: Tensor) -> Any:
        return Answered.apply(ask, logits, actions, advantages)

    notebook["policy_gradient_loss"] = policy_gradient_loss
    notebook.run(cell)
    leaf = {name: number.clone().requires_grad_() for name, number in numbers.items()}
    leaf["rewards"].requires_grad_(False)
    policy, value = defined(notebook, "actor_critic_losses")(
        leaf["logits"], leaf["values"], taken, leaf["rewards"], leaf["next_values"], terminated,
        gamma,
    )  # fmt: skip
    leaves = [leaf[name] for name in ("logits", "values", "next_values")]
    return {"policy": outcome(policy, leaves), "value": outcome(value, leaves)}


def outcome(loss: Any, leaves: list[Tensor]) -> dict[str, Any]:
    """A loss and its gradients; None where none arrives."""
    if not isinstance(loss, Tensor) or not loss.requires_grad:
        return {"value": loss, "grads": [None] * len(leaves)}
    grads = torch.autograd.grad(loss.sum(), leaves, allow_unused=True, retain_graph=True)
    return {"value": loss.detach(), "grads": list(grads)}


# -- trained policies -----------------------------------------------------------------------------


def layers_of(notebook: Notebook, name: str) -> list[Any] | str:
    """The layers of agents[name]: pairs (kind, tensors); or what is there in place of a policy."""
    agents = notebook.get("agents")
    if not isinstance(agents, dict):
        return f"agents is of type {type(agents).__name__}, not a dictionary"
    policy = agents.get(name)
    if not isinstance(policy, nn.Sequential):
        kind = "None" if policy is None else f"of type {type(policy).__name__}"
        return f"agents[{name!r}] is {kind}, not an nn.Sequential"
    found: list[Any] = []
    for layer in policy:
        kind = type(layer).__name__
        tensors: list[Tensor] = []
        if isinstance(layer, nn.Linear):
            tensors = [layer.weight] if layer.bias is None else [layer.weight, layer.bias]
        found.append([kind, [tensor.detach().cpu() for tensor in tensors]])
    return found


def defined(notebook: Notebook, name: str) -> Any:
    if name not in notebook:
        raise NameError(f"name {name!r} is not defined in the notebook")
    return notebook[name]
