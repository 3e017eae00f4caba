"""Right answers that take their arguments along to a device: the notebook's, or the one given."""

import torch


# %% start from solutions
# %% definitions of sim
def sim(z_i, z_j):
    z_i, z_j = z_i.to(device), z_j.to(device)
    return (z_i @ z_j) / (z_i.norm() * z_j.norm())


# %% definitions of sim-positive-pairs
def sim_positive_pairs(out_left, out_right):
    left, right = out_left.to(device), out_right.to(device)
    lengths = left.norm(dim=1, keepdim=True) * right.norm(dim=1, keepdim=True)
    return (left * right).sum(dim=1, keepdim=True) / lengths


# %% definitions of sim-matrix
def compute_sim_matrix(out):
    out = out.to(device)
    out = out / out.norm(dim=1, keepdim=True)
    return out @ out.T


# %% definitions of loss-vectorized
def simclr_loss_vectorized(out_left, out_right, tau, device="cpu"):
    N = out_left.shape[0]
    logits = compute_sim_matrix(torch.cat([out_left, out_right])).to(device) / tau
    others = ~torch.eye(2 * N, dtype=torch.bool, device=device)
    denominators = (logits.exp() * others).sum(dim=1).log()
    positives = sim_positive_pairs(out_left, out_right).to(device) / tau
    return denominators.mean() - positives.mean()
