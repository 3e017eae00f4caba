"""Right in another style: a column after the other, sums in place of means."""

import numpy as np


# %% start from solutions
# %% definitions of standardize
def standardize(x):
    result = np.empty(x.shape)
    for column in range(x.shape[1]):
        values = x[:, column]
        deviations = values - sum(values) / len(values)
        result[:, column] = deviations / (sum(deviations**2) / len(values)) ** 0.5
    return result
