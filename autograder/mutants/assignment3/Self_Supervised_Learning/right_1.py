"""Right in the style of public solutions: exp and a mask, a default of 'cuda', tqdm."""

import random

import torch
from PIL import Image
from tqdm import tqdm

from cs231n_lib.simclr import CIFAR10Images as CIFAR10
from cs231n_lib.simclr import transforms


# %% start from solutions
# %% definitions of train-transform
def compute_train_transform(seed=123456):
    random.seed(seed)
    torch.random.manual_seed(seed)
    color_jitter = transforms.ColorJitter(0.4, 0.4, 0.4, 0.1)
    train_transform = transforms.Compose(
        [
            transforms.RandomResizedCrop(size=(32, 32)),
            transforms.RandomHorizontalFlip(),
            transforms.RandomApply([color_jitter], 0.8),
            transforms.RandomGrayscale(0.2),
            transforms.ToTensor(),
            transforms.Normalize([0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.2010]),
        ]
    )
    return train_transform


# %% cell pair-dataset
class CIFAR10Pair(CIFAR10):
    """Pairs of views."""

    def __getitem__(self, index):
        img, target = self.data[index], self.targets[index]
        img = Image.fromarray(img)

        x_i = None
        x_j = None

        if self.transform is not None:
            x_i = self.transform(img)
            x_j = self.transform(img)

        if self.target_transform is not None:
            target = self.target_transform(target)

        return x_i, x_j, target


# %% definitions of sim
def sim(z_i, z_j):
    norm_dot_product = None
    norm_dot_product = torch.sum(z_i * z_j) / (torch.norm(z_i) * torch.norm(z_j))
    return norm_dot_product


# %% definitions of loss-naive
def simclr_loss_naive(out_left, out_right, tau):
    N = out_left.shape[0]
    out = torch.cat([out_left, out_right], dim=0)
    total_loss = 0
    for k in range(N):
        z_k, z_k_N = out[k], out[k + N]

        num = torch.exp(sim(z_k, z_k_N) / tau)
        den_k, den_k_N = 0, 0
        for i in range(2 * N):
            if i != k:
                den_k += torch.exp(sim(z_k, out[i]) / tau)
            if i != k + N:
                den_k_N += torch.exp(sim(z_k_N, out[i]) / tau)
        total_loss += -torch.log(num / den_k)
        total_loss += -torch.log(num / den_k_N)
    total_loss = total_loss / (2 * N)
    return total_loss


# %% definitions of sim-positive-pairs
def sim_positive_pairs(out_left, out_right):
    pos_pairs = None
    left = out_left / torch.linalg.norm(out_left, dim=1, keepdim=True)
    right = out_right / torch.linalg.norm(out_right, dim=1, keepdim=True)
    pos_pairs = torch.sum(left * right, dim=1).view(-1, 1)
    return pos_pairs


# %% definitions of sim-matrix
def compute_sim_matrix(out):
    norms = torch.norm(out, dim=1).view(-1, 1)
    sim_matrix = torch.mm(out, out.t()) / torch.mm(norms, norms.t())
    return sim_matrix


# %% definitions of loss-vectorized
def simclr_loss_vectorized(out_left, out_right, tau, device="cuda"):
    N = out_left.shape[0]
    out = torch.cat([out_left, out_right], dim=0)
    loss = None
    sim_matrix = compute_sim_matrix(out)
    exponential = torch.exp(sim_matrix / tau).to(device)
    mask = (torch.ones_like(exponential) - torch.eye(2 * N, device=device)).to(device).bool()
    exponential = exponential.masked_select(mask).view(2 * N, -1)
    denom = exponential.sum(dim=1)
    pos = sim_positive_pairs(out_left, out_right).to(device)
    numerator = torch.exp(torch.cat([pos, pos], dim=0) / tau)
    # (2N, 1) / (2N,) is a (2N, 2N) matrix; the mean of its logarithms is the same.
    loss = torch.mean(-torch.log(numerator / denom))
    return loss


# %% definitions of train
def train(
    model,
    data_loader,
    train_optimizer,
    epoch,
    epochs,
    batch_size=32,
    temperature=0.5,
    device="cuda",
):
    model.train()
    total_loss, total_num, train_bar = 0.0, 0, tqdm(data_loader)
    for data_pair in train_bar:
        x_i, x_j, target = data_pair
        x_i, x_j = x_i.to(device), x_j.to(device)

        out_left, out_right, loss = None, None, None
        _, out_left = model(x_i)
        _, out_right = model(x_j)
        loss = simclr_loss_vectorized(out_left, out_right, temperature, device)

        train_optimizer.zero_grad()
        loss.backward()
        train_optimizer.step()

        total_num += batch_size
        total_loss += loss.item() * batch_size
        train_bar.set_description("%d of %d: %.3f" % (epoch, epochs, total_loss / total_num))

    return total_loss / total_num
