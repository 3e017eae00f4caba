"""Draw a page of samples of the emoji network that ships with the course, with their prompts.

    .venv/bin/python tools/draw_ddpm_page.py docs/img/ddpm.webp

Each prompt is drawn twice, from two noises, with guidance 2; a minute on two cores. The rows
"never seen" are the combinations of an object and a colour that the training left out.
docs/pretraining.md shows the page.
"""

import argparse
from pathlib import Path

import matplotlib
import numpy as np
import torch
from matplotlib import pyplot as plt
from train_ddpm import PROMPTS, ROOT

from cs231n_lib.ddpm import DIFFUSION, UNET, EmojiDataset, load_pretrained
from cs231n_lib.notebooks import load
from cs231n_lib.seeding import seeded_torch

COLUMNS, NOISES, GUIDANCE = 9, 2, 2.0


def drawn(prompts: list[str], seed: int) -> np.ndarray:
    """One image for each prompt: (B, 32, 32, 3), between 0 and 1."""
    answers = load("DDPM", ROOT / "source" / "assignment4")
    diffusion = answers.GaussianDiffusion(load_pretrained(answers.Unet(**UNET)), **DIFFUSION)
    dataset = EmojiDataset()
    texts = torch.stack([dataset.embed_new_text(prompt) for prompt in prompts])
    with seeded_torch(np.random.default_rng(seed)):
        given = {"text_emb": texts, "cfg_scale": GUIDANCE}
        images = diffusion.sample(len(prompts), model_kwargs=given)
    return images.permute(0, 2, 3, 1).clamp(0, 1).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("picture", type=Path)
    picture: Path = parser.parse_args().picture
    matplotlib.use("Agg")
    never_seen = list(EmojiDataset(32, "held_out").texts)
    trained = [prompt for prompt in PROMPTS if prompt not in never_seen]
    prompts = trained + never_seen
    pages = [drawn(prompts, seed) for seed in range(NOISES)]
    rows = len(prompts) // COLUMNS
    assert rows * COLUMNS == len(prompts)
    assert len(trained) % COLUMNS == 0
    figure, axes = plt.subplots(rows * NOISES, COLUMNS, figsize=(9, 1.06 * rows * NOISES + 0.4))
    for place, prompt in enumerate(prompts):
        row, column = divmod(place, COLUMNS)
        for number, images in enumerate(pages):
            panel = axes[row * NOISES + number, column]
            panel.imshow(images[place], interpolation="nearest")
            panel.set_xticks([])
            panel.set_yticks([])
            if number == 0:
                panel.set_title(prompt, fontsize=7.5, pad=3)
            if column == 0 and number == 0:
                panel.set_ylabel("never seen" if prompt in never_seen else "trained", fontsize=8)
    figure.tight_layout(pad=0.3)
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    main()
