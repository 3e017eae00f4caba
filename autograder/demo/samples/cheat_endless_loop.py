"""Never returns from the first distance function, not even when interrupted.

Earns: nothing; costs one cell's time.
"""


# %% notebook knn
# %% start from release
# %% definitions of k-nearest-neighbor
def compute_distances_two_loops(self, X):
    while True:
        try:
            while True:
                pass
        except KeyboardInterrupt:
            continue
