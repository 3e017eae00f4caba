"""The stored figures: complete, and each with how it was measured."""

from cs231n_lib.simclr import Model, measured


def test_measured_figures_say_how() -> None:
    found = measured()
    assert found["pretraining"]["parameters"] == sum(p.numel() for p in Model().parameters())
    rows = found["label_efficiency"]["rows"]
    assert [(row["share"], row["images"]) for row in rows] == [(0.01, 200), (0.1, 2000)]
    for row in rows:
        assert row["scratch_4x_steps"] < row["fine_tuned"]
    for part in ("ablation", "monitor", "frozen", "all_labels"):
        assert found[part]["machine"]
        assert found[part]["cpu_seconds"] > 0
    assert found["monitor"]["rows"][-1]["step"] == found["monitor"]["settings"]["steps"]
    assert {row["name"] for row in found["ablation"]["rows"]} >= {
        "pixels", "colour histogram", "random encoder", "flip", "crop", "colour", "crop and flip",
        "flip and colour", "all but jitter", "all",
    }  # fmt: skip
    for row in found["ablation"]["rows"]:
        assert all(0 < row[name] <= 100 for name in ("knn", "probe", "same_label", "same_colours"))
