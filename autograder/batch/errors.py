"""What can go wrong with the workers as a whole, apart from what needs dask to be imported."""


class ClusterError(Exception):
    """There is no cluster, or not the right one; the message says what to do."""
