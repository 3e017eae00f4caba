"""One look for all notebooks: their figures, and their failed assertions."""

import sys

from cs231n_lib.failed_asserts import show_failed_asserts_briefly
from cs231n_lib.plotting.axes import CYCLE


def use_course_style() -> None:
    """Give the figures of this notebook the course's look; once, in the cell with the imports.

    Lines take the colours of Okabe and Ito in the order of ``CYCLE``, frames are open above and to
    the right. In Jupyter, figures are drawn for screens of high resolution ("retina"), and a failed
    ``assert`` of the notebook shows its words and no traceback.
    """
    import matplotlib as mpl
    from cycler import cycler

    mpl.rcParams.update(
        {
            "axes.prop_cycle": cycler(color=CYCLE),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.dpi": 90,
            "legend.frameon": False,
        }
    )
    ipython = sys.modules.get("IPython")  # not imported: outside Jupyter nobody would look
    if ipython is not None and ipython.get_ipython() is not None:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("retina")
        show_failed_asserts_briefly()
