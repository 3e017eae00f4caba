"""The student's diffusion and U-Net at work; the kernel gets this file as source.

Shapes: images (b, 3, H, W), levels t (b,), texts (b, D).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

Notebook = dict[str, Any]
PROCESS, DIFFUSION = ("ForwardProcess", "GaussianDiffusion"), ("GaussianDiffusion",)
NETWORK, GUIDED = ("ConditionalUnet", "Unet"), ("Unet", "ConditionalUnet")


class Recorder(nn.Module):
    """A network that answers what it is told to, and notes what it is given."""

    def __init__(self, answer: Tensor) -> None:
        super().__init__()
        self.answer = nn.Parameter(answer)
        self.seen: list[dict[str, Any]] = []

    def forward(self, x: Tensor, time: Any, model_kwargs: Any = None) -> Tensor:
        whole = torch.is_tensor(time)
        self.seen.append(
            {
                "x": x.detach().clone() if torch.is_tensor(x) else x,
                "time": time.detach().clone() if whole else time,
                "kind": str(time.dtype) if whole else type(time).__name__,
                "given": dict(model_kwargs) if isinstance(model_kwargs, dict) else model_kwargs,
            }
        )
        return self.answer.to(x.device) * 1


# -- diffusion ------------------------------------------------------------------------------------


def between(
    notebook: Notebook,
    method: str,
    options: dict[str, Any],
    first: Tensor,
    t: Tensor,
    second: Tensor,
) -> Any:
    """What q_sample, predict_start_from_noise or predict_noise_from_start returns."""
    process = made(notebook, PROCESS, nn.Identity(), options, first)
    return getattr(process, method)(first, t, second)


def loss(
    notebook: Notebook,
    options: dict[str, Any],
    images: Tensor,
    answer: Tensor,
    given: dict[str, Any],
    seed: int,
) -> dict[str, Any]:
    """The loss with a network that gives ``answer``, what the network saw, and the draws."""
    net = Recorder(answer)
    diffusion = made(notebook, DIFFUSION, net, options, images)
    diffusion.q_sample = lambda x_start, t, noise: notebook["right_q_sample"](x_start, t, noise)
    torch.manual_seed(seed)
    t = torch.randint(0, options["timesteps"], (len(images),), device=images.device)
    noise = torch.randn_like(images)
    torch.manual_seed(seed)
    value = diffusion.p_losses(images, given)
    flows = torch.is_tensor(value) and value.requires_grad
    value = value.detach() if torch.is_tensor(value) else value
    return {"loss": value, "flows": flows, "t": t, "noise": noise, "seen": net.seen}


def step(
    notebook: Notebook,
    options: dict[str, Any],
    x_t: Tensor,
    t: int,
    answer: Tensor,
    given: dict[str, Any],
    seed: int,
) -> dict[str, Any]:
    """Two steps back from the same x_t with a network that gives ``answer``; what it saw."""
    net = Recorder(answer)
    diffusion = made(notebook, DIFFUSION, net, options, x_t)
    diffusion.predict_start_from_noise = lambda x_t, t, noise: notebook["right_start"](
        x_t, t, noise
    )
    torch.manual_seed(seed)
    found = [diffusion.p_sample(x_t.clone(), t, given) for _ in range(2)]
    found = [value.detach() if torch.is_tensor(value) else value for value in found]
    return {"found": found, "seen": net.seen}


def made(
    notebook: Notebook, names: Sequence[str], net: nn.Module, options: dict[str, Any], like: Tensor
) -> Any:
    diffusion = named(notebook, names)(net, image_size=like.shape[-1], **options)
    return diffusion.to(like.device)


def named(notebook: Notebook, names: Sequence[str]) -> Any:
    for name in names:
        if name in notebook:
            return notebook[name]
    raise NameError(f"name {names[0]!r} is not defined in the notebook")


# -- the U-Net ------------------------------------------------------------------------------------


def parts(notebook: Notebook, sizes: Sequence[Any]) -> dict[str, Any]:
    """Of each level its modules, and the shapes of all parameters, as __init__ makes them."""
    net = named(notebook, NETWORK)(*sizes)
    levels = {name: [described(level) for level in getattr(net, name)] for name in ("downs", "ups")}
    shapes = {name: list(value.shape) for name, value in net.state_dict().items()}
    count = sum(value.numel() for value in net.parameters())  # what is shared counts once
    return {"levels": levels, "shapes": shapes, "count": count}


def described(level: Any) -> Any:
    """The blocks of a level as [dim, dim_out, context_dim], anything else by its kind."""
    if not isinstance(level, nn.ModuleList):
        return type(level).__name__
    return [
        [getattr(part, name) for name in ("dim", "dim_out", "context_dim")]
        if hasattr(part, "context_dim")
        else type(part).__name__
        for part in level
    ]


def outputs(
    notebook: Notebook,
    sizes: Sequence[Any],
    spec: dict[str, Any],
    state: dict[str, Tensor],
    calls: Sequence[Sequence[Any]],
) -> list[Any]:
    """What forward answers to each call, in evaluation mode, over parts built from ``spec``."""
    net = over_given_parts(named(notebook, NETWORK), sizes, spec)
    net.load_state_dict(state)
    net = net.to(calls[0][0].device).eval()
    with torch.no_grad():
        return [net(x, time, {"text_emb": text}) for x, time, text in calls]


def over_given_parts(kind: Any, sizes: Sequence[Any], spec: dict[str, Any]) -> nn.Module:
    """A network of the student's class whose lists of levels are those of ``spec``."""
    try:
        net = kind(*sizes)
    except Exception:  # its __init__ is asked elsewhere
        net = kind.__new__(kind)
        nn.Module.__init__(net)
        net.channels, net.uncond_prob = 3, 0.2
    for name in list(net._modules):
        delattr(net, name)
    for name, part in spec.items():
        net.add_module(name, built(part))
    return net


def built(part: Sequence[Any]) -> nn.Module:
    """A module from its name and arguments; a list is a ModuleList, ``Sequential`` one of these."""
    from cs231n_lib import ddpm

    name, *arguments = part
    if name == "list":
        return nn.ModuleList([built(one) for one in arguments])
    if name == "Sequential":
        return nn.Sequential(*[built(one) for one in arguments])
    return getattr(ddpm if hasattr(ddpm, name) else nn, name)(*arguments)


def guided(
    notebook: Notebook, x: Tensor, time: Tensor, given: dict[str, Any], times: int
) -> dict[str, Any]:
    """``times`` calls with the same dictionary, over a forward pass that is a simple formula."""
    kind = named(notebook, GUIDED)
    seen: list[dict[str, Any]] = []

    class Asked(kind):
        def forward(self, x: Tensor, time: Tensor, model_kwargs: Any = None) -> Tensor:
            if "cfg_scale" in model_kwargs and len(seen) < 50:
                seen.append({"scale": True})
                return self.cfg_forward(x, time, model_kwargs)
            text = model_kwargs.get("text_emb")
            seen.append(
                {
                    "scale": False,
                    "text": text if text is None else text.detach().clone(),
                    "others": sorted(key for key in model_kwargs if key != "text_emb"),
                    "x": x.detach().clone(),
                    "time": time,
                }
            )
            if text is None:
                return 1 - x
            return 2 * x + text.sum(dim=1).reshape(-1, 1, 1, 1)

    net = Asked.__new__(Asked)
    nn.Module.__init__(net)
    net.eval()
    found, counts = [], []
    for _ in range(times):
        before = len(seen)
        value = net(x, time, given)
        found.append(value.detach() if torch.is_tensor(value) else value)
        counts.append(sum(not one["scale"] for one in seen[before:]))
    asked = [one for one in seen if not one["scale"]]
    return {"found": found, "counts": counts, "asked": asked, "keys": sorted(given)}
