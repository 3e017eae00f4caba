"""Right in a third style: helpers, einsum, numbers shifted by hand, a step written otherwise."""

import random

import torch
import torch.nn.functional as F  # noqa: N812
from PIL import Image

from cs231n_lib.simclr import transforms


# %% start from solutions
# %% definitions of train-transform
def compute_train_transform(seed=123456):
    random.seed(seed)
    torch.random.manual_seed(seed)
    steps = []
    steps.append(transforms.RandomResizedCrop((32, 32)))
    steps.append(transforms.RandomHorizontalFlip(p=0.5))
    jitter = transforms.ColorJitter(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1)
    steps.append(transforms.RandomApply((jitter,), p=0.8))
    steps.append(transforms.RandomGrayscale(p=0.2))
    steps.append(transforms.ToTensor())
    steps.append(transforms.Normalize(mean=(0.4914, 0.4822, 0.4465), std=(0.2023, 0.1994, 0.2010)))
    return transforms.Compose(steps)


# %% definitions of pair-dataset
def __getitem__(self, index):
    img = Image.fromarray(self.data[index])
    target = torch.tensor(self.targets[index])
    augment = self.transform if self.transform is not None else (lambda picture: picture)
    views = [augment(img.copy()) for _ in range(2)]
    if self.target_transform:
        target = self.target_transform(target)
    return [*views[::-1], target]


# %% definitions of sim
def sim(z_i, z_j):
    return torch.inner(F.normalize(z_i, dim=0), F.normalize(z_j, dim=0))


# %% definitions of loss-naive
def simclr_loss_naive(out_left, out_right, tau):
    N = out_left.shape[0]
    total = out_left.new_zeros(())
    branches = [out_left, out_right]
    for own, other in (branches, branches[::-1]):
        for k in range(N):
            positive = sim(own[k], other[k]) / tau
            rest = [torch.exp(sim(own[k], z) / tau - positive) for z in other]
            rest += [torch.exp(sim(own[k], own[m]) / tau - positive) for m in range(N) if m != k]
            total = total + torch.log(sum(rest))
    return total / (2 * N)


# %% definitions of sim-positive-pairs
def sim_positive_pairs(out_left, out_right):
    N = len(out_left)
    left, right = F.normalize(out_left), F.normalize(out_right)
    return torch.bmm(left.view(N, 1, -1), right.view(N, -1, 1)).view(N, 1)


# %% definitions of sim-matrix
def compute_sim_matrix(out):
    lengths = torch.sqrt(torch.einsum("id,id->i", out, out))
    return torch.einsum("id,jd->ij", out, out) / torch.outer(lengths, lengths)


# %% definitions of loss-vectorized
def simclr_loss_vectorized(out_left, out_right, tau, device="cpu"):
    N = out_left.shape[0]
    both = compute_sim_matrix(torch.vstack([out_left, out_right])) / tau
    left, right = both[:N], both[N:]
    e = torch.exp(both - 1 / tau)
    rest = e.sum(1) - torch.diagonal(e)
    shares = torch.diag(left[:, N:]) + torch.diag(right[:, :N])
    return (torch.log(rest).sum() + 2 * N / tau - shares.sum()) / (2 * N)


# %% definitions of train
def train(
    model, data_loader, train_optimizer, epoch, epochs, batch_size=32, temperature=0.5, device="cpu"
):
    model.train()
    running = 0.0
    for number, batch in enumerate(data_loader, start=1):
        train_optimizer.zero_grad()
        views = [view.to(device, non_blocking=True) for view in batch[:2]]
        z = [model(view)[-1] for view in views]
        loss = simclr_loss_vectorized(z[1], z[0], temperature, device=device)
        loss.backward()
        train_optimizer.step()
        running += (loss.detach().cpu().numpy() - running) / number
    return float(running)
