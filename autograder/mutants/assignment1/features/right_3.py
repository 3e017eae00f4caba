"""Right in another style: the softmax classifier; the net taken up again with a smaller rate."""

import numpy as np


# %% start from solutions
# %% cell tune-svm
results = {}
best_val = -1
best_softmax = None

for lr in (2e-3, 2e-2):
    for reg in (1e-3, 1e-1):
        softmax = Softmax()
        softmax.train(X_train_feats, y_train, learning_rate=lr, reg=reg, num_iters=900)
        accuracy = [
            np.count_nonzero(softmax.predict(rows) == truth) / len(truth)
            for rows, truth in [(X_train_feats, y_train), (X_val_feats, y_val)]
        ]
        results[lr, reg] = tuple(accuracy)
        if accuracy[1] > best_val:
            best_val, best_softmax = accuracy[1], softmax

# %% cell train-net
import copy


def new_net(reg):
    """A fresh net of the size that was asked for."""
    return TwoLayerNet(X_train_feats.shape[1], 500, 10, reg=reg)


data = {"X_train": X_train_feats, "y_train": y_train, "X_val": X_val_feats, "y_val": y_val}
np.random.seed(5)
candidates = []
for reg in (5e-4, 3e-3):
    net = new_net(reg)
    for rate, epochs in ((0.6, 4), (0.1, 1)):  # the second training takes the net up again
        solver = Solver(
            model=net,
            data=data,
            update_rule=tln.sgd,
            optim_config={"learning_rate": rate},
            num_epochs=epochs,
            verbose=False,
        )
        solver.train()
        candidates.append((solver.check_accuracy(X_val_feats, y_val), copy.deepcopy(net)))
best_net = max(candidates, key=lambda pair: pair[0])[1]
