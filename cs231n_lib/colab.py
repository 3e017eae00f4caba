"""The course's folder on Google Drive, for notebooks that run on Colab.

Colab opens a notebook alone, in a machine that is thrown away. On Drive the folders are as they are
everywhere: ``load`` finds an earlier notebook beside the open one, or in ``../assignment1``.
"""

import os
import sys
from importlib import import_module
from pathlib import Path

from cs231n_lib.errors import CourseError

MOUNTED_AT = Path("/content/drive")  # where every introduction to Colab mounts it


def open_drive(folder: str, beside: tuple[str, ...] = ()) -> Path:
    """Mount Drive, make ``folder`` there (such as "cs231n/assignment1") the working directory.

    The folder is made where it is missing. ``beside`` names the notebooks that the open one loads;
    which of them is missing, there and in the assignments beside it, is said, with what to do.
    Returns the folder. Raises CourseError where this is not Colab, or Drive cannot be mounted.
    """
    if "google.colab" not in sys.modules:
        raise CourseError(
            "open_drive is for Colab; elsewhere, open the notebook in its own folder."
        )
    drive = import_module("google.colab.drive")
    try:
        drive.mount(str(MOUNTED_AT))
    except Exception as error:  # Colab raises its own, of several modules
        raise CourseError(
            f"Google Drive could not be mounted ({error}). Run the cell again and allow the "
            "access; without it, what you write is lost when Colab closes the machine."
        ) from error
    root = MOUNTED_AT / "MyDrive"
    if not root.is_dir():
        raise CourseError(f"there is no {root}, although Drive was mounted. Restart the session.")
    target = root.joinpath(*folder.split("/"))
    target.mkdir(parents=True, exist_ok=True)
    os.chdir(target)
    print(f"Working in {target}")
    places = [target, *target.parent.glob("assignment*")]
    for name in beside:
        if not any((place / f"{name}.ipynb").is_file() for place in places):
            print(
                f"This notebook uses your {name}.ipynb, which is not there yet: move it to that "
                "folder (Colab keeps notebooks in Drive's 'Colab Notebooks' until they are moved)."
            )
    return target
