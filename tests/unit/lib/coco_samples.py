"""A little COCO, in the files and the layout of CS231n's ``coco_captioning`` folder."""

import json
from pathlib import Path

import h5py
import numpy as np

WORDS = ["<NULL>", "<START>", "<END>", "<UNK>", "a", "cat", "dog", "sits"]
IMAGES = {"train": 4, "val": 3}


def write_coco(folder: Path) -> Path:
    """Write all eight files, with few rows: 512 and 4096 features, 17 columns."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    with h5py.File(folder / "coco2014_captions.h5", "w") as file:
        for split, images in IMAGES.items():
            captions = np.zeros((5 * images, 17), np.int32)
            captions[:, :5] = [1, 4, 5, 7, 2]
            captions[::2, 2] = 6
            file[f"{split}_captions"] = captions
            file[f"{split}_image_idxs"] = rng.integers(images, size=5 * images).astype(np.int32)
    for split, images in IMAGES.items():
        for name, columns in (("_pca", 512), ("", 4096)):
            with h5py.File(folder / f"{split}2014_vgg16_fc7{name}.h5", "w") as file:
                file["features"] = rng.normal(size=(images, columns)).astype(np.float32)
        lines = [f"http://example.org/{split}/{number}.jpg\n" for number in range(images)]
        (folder / f"{split}2014_urls.txt").write_text("".join(lines))
    ids = {word: index for index, word in enumerate(WORDS)}
    vocabulary = {"idx_to_word": WORDS, "word_to_idx": ids}
    (folder / "coco2014_vocab.json").write_text(json.dumps(vocabulary))
    return folder
