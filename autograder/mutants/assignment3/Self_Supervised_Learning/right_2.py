"""Right in another style: torch's own functions (cosine_similarity, cross_entropy), keywords."""

import math

import torch
import torch.nn.functional as F  # noqa: N812

from cs231n_lib.simclr import CIFAR10Images, transforms


# %% start from solutions
# %% definitions of train-transform
def compute_train_transform(seed=123456):
    torch.manual_seed(seed)
    jitter = transforms.ColorJitter(
        brightness=(0.6, 1.4), contrast=(0.6, 1.4), saturation=(0.6, 1.4), hue=(-0.1, 0.1)
    )
    on_pictures = transforms.Compose(
        (
            transforms.RandomResizedCrop(32, scale=(0.08, 1.0), ratio=(3.0 / 4, 4.0 / 3)),
            transforms.RandomHorizontalFlip(0.5),
            transforms.RandomApply([transforms.Compose([jitter])], p=1 - 0.2),
            transforms.RandomGrayscale(p=0.2),
        )
    )
    mean, std = torch.tensor([0.4914, 0.4822, 0.4465]), torch.tensor([0.2023, 0.1994, 0.2010])
    return transforms.Compose(
        [on_pictures, transforms.ToTensor(), transforms.Normalize(mean=mean, std=std)]
    )


# %% cell pair-dataset
class CIFAR10Pair(CIFAR10Images):
    """Two items of the base class are two draws of one image."""

    def __getitem__(self, index):
        (first, target), (second, _) = (super(CIFAR10Pair, self).__getitem__(index) for _ in "ij")
        return first, second, target


# %% definitions of sim
def sim(z_i, z_j):
    return F.cosine_similarity(z_i, z_j, dim=0)


# %% definitions of loss-naive
def _loss_of_row(out, i, j, tau):
    logits = torch.stack([sim(out[i], z) for z in out]) / tau
    logits = torch.cat([logits[:i], logits[i + 1 :]])
    wanted = torch.tensor([j if j < i else j - 1])
    return F.cross_entropy(logits[None], wanted, reduction="sum")


def simclr_loss_naive(out_left, out_right, tau):
    out, N = torch.cat([out_left, out_right]), len(out_left)
    rows = [_loss_of_row(out, i, (i + N) % (2 * N), tau) for i in range(2 * N)]
    return torch.stack(rows).mean()


# %% definitions of sim-positive-pairs
def sim_positive_pairs(out_left, out_right):
    return F.cosine_similarity(out_left, out_right)[:, None]


# %% definitions of sim-matrix
def compute_sim_matrix(out):
    return F.cosine_similarity(out[:, None], out[None], dim=2)


# %% definitions of loss-vectorized
def simclr_loss_vectorized(out_left, out_right, tau, device="cpu"):
    z = F.normalize(torch.cat([out_left, out_right]), dim=1)
    n = len(out_left)
    logits = (z @ z.T / tau).fill_diagonal_(-math.inf)
    return F.cross_entropy(logits, torch.arange(2 * n, device=z.device).roll(n))


# %% definitions of train
def train(
    model, data_loader, train_optimizer, epoch, epochs, batch_size=32, temperature=0.5, device="cpu"
):
    model.train()
    losses, sizes = [], []
    for x_i, x_j, _ in data_loader:
        both = torch.cat([x_i, x_j]).to(device)
        out_left, out_right = model(both)[1].chunk(2)
        loss = simclr_loss_vectorized(out_left, out_right, tau=temperature, device=device)
        train_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        train_optimizer.step()
        losses.append(loss.item())
        sizes.append(len(x_i))
    return sum(n * loss for n, loss in zip(sizes, losses, strict=True)) / sum(sizes)
