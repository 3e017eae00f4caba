"""What `pip install .` gives a student: the library and its command, and nothing of the graders."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_the_library_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (entry_points,) = (name for name in names if name.endswith("entry_points.txt"))
        scripts = archive.read(entry_points).decode()
    assert "cs231n = cs231n_lib.cli:main" in scripts
    assert {name.split("/")[0] for name in names} == {
        "cs231n_lib",
        next(name for name in names if ".dist-info/" in name).split("/")[0],
    }
    modules = {f"cs231n_lib/{p.relative_to(ROOT / 'cs231n_lib').as_posix()}"
               for p in (ROOT / "cs231n_lib").rglob("*.py")}  # fmt: skip
    assert modules <= set(names)
    data = ("sprites.npz", "caption_sprites.npz", "captions.npz", "mnist.npz", "SPRITES.md",
            "MNIST.md")  # fmt: skip
    assert {f"cs231n_lib/data/{name}" for name in data} <= set(names)
    pretrained = ("simclr_resnet10.pt", "WEIGHTS.md", "measured.json")
    assert {f"cs231n_lib/simclr/{name}" for name in pretrained} <= set(names)
    assert {f"cs231n_lib/compression/{name}" for name in ("convnet.pt", "WEIGHTS.md")} <= set(names)
    assert not [name for name in names if name.endswith((".ipynb", ".pyc", ".db"))]


def test_installed_wheel_runs(wheel: Path, tmp_path: Path) -> None:
    """In an environment that has the dependencies (through a .pth file) but not the checkout."""
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=False)
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps",
         "--no-index", str(wheel)],
        check=True,
    )  # fmt: skip
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.check_output([python, "-c", code], text=True).strip()
    ours = subprocess.check_output([sys.executable, "-c", code], text=True).strip()
    # As sys.path entry only: .pth files in it, the editable install's too, are not followed.
    (Path(packages) / "dependencies.pth").write_text(ours)
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    clean["CS231N_CACHE"] = str(tmp_path / "cache")

    def run(*command: str | Path) -> str:
        return subprocess.check_output(command, env=clean, cwd=tmp_path, text=True)

    assert "All is well." in run(scripts / "cs231n", "doctor")
    code = "import cs231n_lib.data as d; print(d.__file__, d.load_cifar10(num_train=2)[0].shape)"
    output = run(python, "-c", code)
    assert str(environment) in output
    assert "(2, 32, 32, 3)" in output
    code = (
        "import cs231n_lib.data as d; data = d.load_coco_data();"
        "print(data['val_features'].shape, d.scene_images('val', [3]).shape)"
    )
    assert "(1000, 512) (1, 64, 64, 3)" in run(python, "-c", code)
    code = "import cs231n_lib.data as d; print(d.load_mnist('test')[0].shape)"
    assert "(500, 28, 28)" in run(python, "-c", code)
    code = "import cs231n_lib.simclr as s; print(s.pretrained_model().feature_size, *s.measured())"
    assert "256 pretraining" in run(python, "-c", code)
    lost = subprocess.run([python, "-c", "import autograder"], env=clean, cwd=tmp_path)
    assert lost.returncode == 1
