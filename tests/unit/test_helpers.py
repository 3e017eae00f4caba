"""What is handed in beside notebooks: modules are taken, the rest is named where it is missed."""

from pathlib import Path

from autograder.course.helpers import (
    MAX_BYTES,
    MAX_FILES,
    helper_modules,
    shadowed_modules,
    unused_files,
)


def hand_in(folder: Path, **files: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("_dot_", ".")).write_bytes(content)
    return folder


def test_modules_of_this_and_of_earlier_assignments_are_taken(tmp_path: Path) -> None:
    hand_in(tmp_path / "assignment1", layers_dot_py=b"1", both_dot_py=b"1")
    folder = hand_in(tmp_path / "assignment2", both_dot_py=b"2", knn_dot_ipynb=b"{}")
    hand_in(tmp_path / "assignment3", later_dot_py=b"3")
    assert helper_modules(folder) == ({"layers.py": b"1", "both.py": b"2"}, [])


def test_what_is_refused_is_named(tmp_path: Path) -> None:
    folder = hand_in(tmp_path / "a", big_dot_py=b"#" * (MAX_BYTES + 1024), fine_dot_py=b"1")
    (folder / "folder.py").mkdir()
    (folder / "link.py").symlink_to("fine.py")
    found, refused = helper_modules(folder)
    assert found == {"fine.py": b"1"}
    beside = "handed in beside the notebook, is not used"
    assert refused == [
        f"big.py, {beside}: it has 1025 KB; at most 1024 are taken",
        f"folder.py, {beside}: it is not a file",
        f"link.py, {beside}: it is a symbolic link, which is not followed",
    ]


def test_only_so_many_are_taken(tmp_path: Path) -> None:
    folder = hand_in(tmp_path / "a", **{f"m{n:03}_dot_py": b"" for n in range(MAX_FILES + 2)})
    found, refused = helper_modules(folder)
    assert len(found) == MAX_FILES
    assert [note[:7] for note in refused] == ["m050.py", "m051.py"]
    assert all("more than 50" in note for note in refused)


def test_other_files_are_named_where_a_notebook_names_them(tmp_path: Path) -> None:
    names = ("weights.npy", "unread.csv", "picture.png", "timestamp.txt", "knn.ipynb")
    folder = hand_in(tmp_path / "a", **dict.fromkeys(names, b""))
    notebook = b"np.load('weights.npy'); picture.png timestamp.txt knn.ipynb"
    (note,) = unused_files(folder, [b"", notebook])
    assert note.startswith("weights.npy, which a notebook names, was handed in beside it but is")


def test_a_module_that_another_one_hides_is_named() -> None:
    modules = ("json.py", "numpy.py", "my_knn.py", "torch.py", "not-a-name.py")
    notebook = b"from json import loads\\nimport numpy as np\\nimport my_knn, not-a-name"
    assert [note.partition(",")[0] for note in shadowed_modules(modules, [b"", notebook])] == [
        "json.py",
        "numpy.py",
    ]
