"""The release as it was handed out.

Earns: nothing, and nobody has to look at it.
"""

# %% notebook knn
# %% start from release
# %% notebook Dropout
# %% start from release
# %% notebook RNN_Captioning
# %% start from release
# %% notebook DDPM
# %% start from release
