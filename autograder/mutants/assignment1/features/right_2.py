"""Right in another style: cautious settings with a strong penalty; copies; the test set in data."""

import numpy as np


# %% start from solutions
# %% cell tune-svm
import copy
import itertools

learning_rates = [1e-8, 1e-7]
regularization_strengths = [5e4, 5e5, 5e6]

results = {}
best_val = -1
best_svm = None

np.random.seed(0)
for lr, reg in itertools.product(learning_rates, regularization_strengths):
    svm = LinearSVM()
    loss_hist = svm.train(X_train_feats, y_train, learning_rate=lr, reg=reg, num_iters=1500)
    y_train_pred = svm.predict(X_train_feats)
    train_accuracy = np.mean(y_train == y_train_pred)
    y_val_pred = svm.predict(X_val_feats)
    val_accuracy = np.mean(y_val == y_val_pred)
    if best_val < val_accuracy:
        best_val = val_accuracy
        best_svm = copy.deepcopy(svm)
    results[lr, reg] = train_accuracy, val_accuracy

for lr, reg in sorted(results):
    train_accuracy, val_accuracy = results[lr, reg]
    print(f"lr {lr:e} reg {reg:e} train accuracy: {train_accuracy:f} val: {val_accuracy:f}")
print(f"best validation accuracy achieved: {best_val:f}")

# %% cell train-net
import copy

input_dim = X_train_feats.shape[1]
hidden_dim = 500
num_classes = 10

data = {
    "X_train": X_train_feats,
    "y_train": y_train,
    "X_val": X_val_feats,
    "y_val": y_val,
    "X_test": X_test_feats,
    "y_test": y_test,
}

net = TwoLayerNet(input_dim, hidden_dim, num_classes)
best_net = None

best_acc = 0
for lr in [1e-1, 5e-1]:
    net = TwoLayerNet(input_dim, hidden_dim, num_classes)
    net.reg = 1e-3
    solver = Solver(
        net,
        data,
        update_rule="sgd",
        optim_config={"learning_rate": lr},
        lr_decay=0.95,
        num_epochs=5,
        batch_size=100,
        print_every=100,
    )
    solver.train()
    val_acc = (np.argmax(net.loss(data["X_val"]), axis=1) == data["y_val"]).mean()
    if val_acc > best_acc:
        best_acc = val_acc
        best_net = copy.deepcopy(net)
