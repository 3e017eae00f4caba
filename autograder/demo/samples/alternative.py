"""Correct solutions in another style: einsum, partitions, one-hot votes, shuffled folds.

In the later notebooks: solutions on which the checks are tried, with shorter searches.

Earns: full marks. A check that takes a point here tests our solution, not the contract.
"""

import numpy as np


# %% notebook knn
# %% start from release
# %% definitions of k-nearest-neighbor
def compute_distances_two_loops(self, X):
    rows = []
    for a in X:
        row = []
        for b in self.X_train:
            difference = a - b
            row.append(difference.dot(difference) ** 0.5)
        rows.append(row)
    return np.array(rows)


def compute_distances_one_loop(self, X):
    dists = np.empty((X.shape[0], self.X_train.shape[0]))
    for i in range(X.shape[0]):
        difference = self.X_train - X[i]
        dists[i] = np.sqrt(np.einsum("nd,nd->n", difference, difference))
    return dists


def compute_distances_no_loops(self, X):
    squares = np.add.outer(
        np.einsum("md,md->m", X, X), np.einsum("nd,nd->n", self.X_train, self.X_train)
    )
    squares -= 2 * np.matmul(X, self.X_train.T)
    return np.sqrt(squares.clip(min=0))


def predict_labels(self, dists, k=1):
    labels, columns = np.unique(self.y_train, return_inverse=True)
    nearest = np.argpartition(dists, k - 1, axis=1)[:, :k]
    one_hot = np.eye(len(labels), dtype=int)[columns[nearest]]  # (M, k, labels)
    return labels[one_hot.sum(axis=1).argmax(axis=1)]


# %% cell cross-validation
num_folds = 5
k_choices = [1, 3, 5, 8, 10, 12, 15, 20, 50, 100]

order = np.random.default_rng(231).permutation(len(X_train))
parts = np.array_split(order, num_folds)
X_train_folds = [X_train[part] for part in parts]
y_train_folds = [y_train[part] for part in parts]

accuracies = np.zeros((num_folds, len(k_choices)))
for f, part in enumerate(parts):
    rest = np.ones(len(X_train), dtype=bool)
    rest[part] = False
    classifier = KNearestNeighbor()
    classifier.train(X_train[rest], y_train[rest])
    distances = classifier.compute_distances_no_loops(X_train[part])
    for c, k in enumerate(k_choices):
        accuracies[f, c] = (classifier.predict_labels(distances, k) == y_train[part]).mean()
k_to_accuracies = {k: accuracies[:, c].tolist() for c, k in enumerate(k_choices)}

# %% cell best-k
best_k = k_choices[int(np.argmax([np.mean(k_to_accuracies[k]) for k in k_choices]))]

# %% answer knn-question-bright-rows
# The rows of test images that look like nothing in the training set, say a very dark
# background. Columns: the same, for a training image that is far from all test images.
# %% answer knn-question-true-statements
# 1 no, 2 yes (it finds itself), 3 no, 4 yes (one distance for each training image).
# %% notebook svm
# %% start from right_2
# %% cell tune-svm
results = {}
for lr, reg in [(2e-7, 3e4), (4e-7, 1e4)]:
    svm = LinearSVM()
    svm.train(X_train, y_train, lr, reg, num_iters=600)
    results[lr, reg] = (
        np.mean(svm.predict(X_train) == y_train),
        np.mean(svm.predict(X_val) == y_val),
    )
    if results[lr, reg][1] == max(val for _, val in results.values()):
        best_val, best_svm = results[lr, reg][1], svm

# %% answer svm-question-initial-loss
# (a) C - 1 classes at margin 1: 9, or 99. (b) By 1; no. (c) No.
# %% notebook softmax
# %% start from right_2
# %% cell tune-softmax
results, trained = {}, {}
for setting in [(1e-6, 3e3), (2e-6, 1e3)]:
    trained[setting] = Softmax()
    trained[setting].train(X_train, y_train, *setting, num_iters=600)
    results[setting] = tuple(
        np.mean(trained[setting].predict(X) == y) for X, y in ((X_train, y_train), (X_val, y_val))
    )
best_setting = max(results, key=lambda setting: results[setting][1])
best_val, best_softmax = results[best_setting][1], trained[best_setting]

# %% notebook two_layer_net
# %% start from right_1
# %% cell tuning
searches = []
for reg in (0.1, 1.0):
    net = TwoLayerNet(hidden_dim=60, reg=reg)
    search = Solver(
        net,
        data,
        update_rule="sgd",
        optim_config={"learning_rate": 1e-3},
        lr_decay=0.9,
        num_epochs=8,
        verbose=False,
    )
    search.train()
    results[1e-3, reg] = (search.train_acc_history[-1], search.best_val_acc)
    searches.append((search.best_val_acc, reg, net))
best_model = max(searches)[-1]

# %% answer tln-question-zeros
# All hidden units would stay alike.
# %% notebook features
# %% start from right_1
# %% notebook FullyConnectedNets
# %% start from right_1
# %% notebook BatchNormalization
# %% start from right_1
# %% notebook Dropout
# %% start from right_1
# %% notebook ConvolutionalNetworks
# %% start from right_1
# %% notebook PyTorch
# %% start from right_1
# %% notebook Network_Visualization
# %% start from right_1
# %% notebook Style_Transfer
# %% start from right_1
# %% notebook RNN_Captioning
# %% start from right_1
# %% notebook LSTM_Captioning
# %% start from right_1
# %% notebook Transformer_Captioning
# %% start from right_1
# %% notebook Generative_Adversarial_Networks
# %% start from right_1
# %% notebook Self_Supervised_Learning
# %% start from right_1
# %% notebook DDPM
# %% start from right_1
# %% notebook CLIP_DINO
# %% start from right_1
# %% notebook Reinforcement_Learning
# %% start from right_1
# %% notebook Seq2Seq_Attention
# %% start from right_1
# %% notebook Model_Compression
# %% start from right_1
