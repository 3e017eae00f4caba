"""The solutions of the source notebooks, with their written answers.

Earns: full marks.
"""

# %% notebook knn
# %% start from solutions-and-answers
# %% notebook svm
# %% start from solutions-and-answers
# %% notebook softmax
# %% start from solutions-and-answers
# %% notebook two_layer_net
# %% start from solutions-and-answers
# %% notebook features
# %% start from solutions-and-answers
