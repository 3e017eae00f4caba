"""What is asked of relative_index and compressed_bits.

Weights: entries that lead to other weights are useless; a code that cannot be decoded, too.
Dimension letter: E entries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from autograder.judge import (
    Failed,
    Student,
    as_array,
    check,
    expect,
    expect_close,
    expect_unchanged,
)

INDEX, BITS = "relative-index", "compressed-bits"
RELATIVE, COMPRESSED = "relative_index", "compressed_bits"
Ints = NDArray[np.int64]
PARTS = ("positions", "values", "codebook")


def entries(index: Ints, gap_bits: int) -> tuple[list[int], list[int]]:
    """Gaps and symbols, with fillers as early as possible; nothing after the last entry."""
    flat = index.ravel()
    places = np.flatnonzero(flat)
    gaps, symbols, step = [], [], 2**gap_bits
    zeros = np.diff(places, prepend=-1) - 1
    for place, count in zip(places, zeros, strict=True):
        fillers, rest = divmod(int(count), step)
        gaps += [step - 1] * fillers + [rest]
        symbols += [0] * fillers + [int(flat[place])]
    return gaps, symbols


def _draw(rng: Generator, shape: Sequence[int], share: float, k: int = 7) -> Ints:
    """Indices of which about this share is not zero; the last one is zero."""
    n = int(np.prod(shape))
    flat = np.where(rng.random(n) < share, rng.integers(1, k + 1, size=n), 0)
    flat[[3, -2]], flat[[0, -1]] = rng.integers(1, k + 1, size=2), 0
    return flat.reshape(shape)


def _ask(student: Student, index: Ints, gap_bits: int) -> tuple[Ints, Ints]:
    got = student.call(RELATIVE, torch.from_numpy(index.copy()), gap_bits)
    two = isinstance(got, list | tuple) and len(got) == 2
    expect(two, "relative_index returns gaps and symbols")
    gaps, symbols = (
        as_array(one, name) for one, name in zip(got, ("gaps", "symbols"), strict=True)
    )
    same = gaps.ndim == 1 and gaps.shape == symbols.shape
    expect(same, f"gaps have shape {gaps.shape} and symbols {symbols.shape}; both should be (E,)")
    return gaps.astype(np.int64), symbols.astype(np.int64)


def _expect(
    got: tuple[Ints, Ints], index: Ints, gap_bits: int, wrong: Mapping[str, Any] | None = None
) -> None:
    """Gaps and symbols are these; otherwise, what is wrong with them as a code."""
    gaps, symbols = got
    right = entries(index, gap_bits)
    if gaps.tolist() == right[0] and symbols.tolist() == right[1]:
        return
    for message, (wrong_gaps, wrong_symbols) in (wrong or {}).items():
        if gaps.tolist() == wrong_gaps and symbols.tolist() == wrong_symbols:
            raise Failed(message)
    farthest = 2**gap_bits - 1
    if gaps.size:
        expect(gaps.min() >= 0, f"a gap is {gaps.min()}: zeros between two entries are counted")
        expect(
            gaps.max() <= farthest, f"a gap is {gaps.max()}, which needs more than {gap_bits} bits"
        )
    places, flat = np.cumsum(gaps + 1) - 1, np.zeros(index.size, np.int64)
    expect(not places.size or places[-1] < index.size, "the entries lead beyond the last weight")
    flat[places] = symbols
    lost = int(np.sum(flat != index.ravel()))
    expect(lost == 0, f"decoded, {lost} of {index.size} indices are not what they were")
    raise Failed(
        f"decoded, the indices are right, but there are {len(gaps)} entries where "
        f"{len(right[0])} are enough, or fillers stand later than they could"
    )


@check(INDEX, probe="MC-A13", weight=4)
def gaps_lead_to_the_entries(student: Student, rng: Generator) -> None:
    """Gaps that all fit: entries one after the other."""
    for shape in ((40,), (5, 9)):
        index = _draw(rng, shape, 0.5)
        places = np.flatnonzero(index)
        symbols = index.ravel()[places].tolist()
        slips = {
            "these are distances; the gap of neighbours is 0": (
                np.diff(places, prepend=-1).tolist(), symbols
            ),
            "these are positions, not gaps": (places.tolist(), symbols),
            "the first gap is not counted from the beginning": (
                [0, *(np.diff(places) - 1).tolist()], symbols
            ),
        }  # fmt: skip
        columns = index.T.copy() if index.ndim == 2 else index[::-1].copy()
        slips["entries are read column by column; C order goes row by row"] = (
            entries(columns, 5) if index.ndim == 2 else ([], [])
        )
        _expect(_ask(student, index, 5), index, 5, slips)


@check(INDEX, probe="MC-A13", weight=4)
def fillers_bridge_long_gaps(student: Student, rng: Generator) -> None:
    """Long runs of zeros: one filler, and several."""
    for gap_bits, share in ((2, 0.15), (3, 0.05), (1, 0.2)):
        index = _draw(rng, (6, 30), share)
        step = 2**gap_bits
        places = np.flatnonzero(index)
        zeros = (np.diff(places, prepend=-1) - 1).tolist()
        symbols = index.ravel()[places].tolist()
        stride: tuple[list[int], list[int]] = ([], [])
        for count, symbol in zip(zeros, symbols, strict=True):
            fillers = max(count - 1, 0) // (step - 1)
            stride[0].extend([step - 1] * fillers + [count - fillers * (step - 1)])
            stride[1].extend([0] * fillers + [symbol])
        slips = {
            "no gap may need more bits than there are: fillers are missing": (zeros, symbols),
            "long gaps are cut off, and the entries after them are lost": (
                [min(count, step - 1) for count in zeros], symbols
            ),
            "a filler is an entry itself: it stands for 2**gap_bits zeros": stride,
        }  # fmt: skip
        _expect(_ask(student, index, gap_bits), index, gap_bits, slips)


@check(INDEX, probe="MC-A13", weight=2)
def longest_gap_needs_no_filler(student: Student, rng: Generator) -> None:
    """Gaps of 2**gap_bits - 1 just fit, and one zero more does not."""
    for gap_bits in (2, 3):
        step = 2**gap_bits
        for zeros in (step - 1, step, 2 * step - 1, 2 * step):
            index = np.zeros(3 * step, np.int64)
            index[[0, zeros + 1]] = rng.integers(1, 5, size=2)
            _expect(_ask(student, index, gap_bits), index, gap_bits)


@check(INDEX, probe="MC-A13", weight=1, rare=True)
def nothing_is_stored_at_the_end(student: Student, rng: Generator) -> None:
    """Zeros after the last entry, and nothing but zeros."""
    index = np.zeros(50, np.int64)
    gaps, symbols = _ask(student, index, 3)
    expect(len(gaps) == 0, f"there are {len(gaps)} entries where everything is zero")
    index[4] = 2
    gaps, symbols = _ask(student, index, 3)
    expect(symbols.tolist() == [2], "something is stored for the zeros after the last entry")


@check(INDEX, probe="MC-A13", weight=1, condition=True)
def index_stays_as_it_was(student: Student, rng: Generator) -> None:
    """index is not changed."""
    index = _draw(rng, (6, 5), 0.3)
    kept = student.put(torch.from_numpy(index.copy()))
    student.call(RELATIVE, kept, 2)
    expect_unchanged(student.fetch(kept), index, "index")


# -- bits ------------------------------------------------------------------------------------------


def _layer(rng: Generator) -> tuple[Ints, Ints, int]:
    """Gaps and symbols of unequal frequencies, and the size of the codebook."""
    k = int(rng.integers(9, 15))
    count = int(rng.integers(60, 120))
    gaps = np.minimum(rng.geometric(0.3, size=count) - 1, 15)
    symbols = rng.choice(k + 1, size=count, p=_unequal(k + 1))
    return gaps.astype(np.int64), symbols.astype(np.int64), k


def _unequal(n: int) -> NDArray[np.float64]:
    shares = np.arange(1, n + 1) ** 1.5
    return shares / shares.sum()


def entropy(values: Ints, base: float = 2.0) -> float:
    """Bits of a value, by their frequencies."""
    shares = np.unique(values, return_counts=True)[1] / max(len(values), 1)
    return float(-(shares * np.log(shares)).sum() / np.log(base))


def _count(student: Student, *arguments: Any, **options: Any) -> dict[str, float]:
    arguments = tuple(
        torch.from_numpy(one.copy()) if isinstance(one, np.ndarray) else one for one in arguments
    )
    got = student.call(COMPRESSED, *arguments, **options)
    expect(isinstance(got, Mapping), f"the answer is of type {type(got).__name__}, not a dict")
    missing = [part for part in PARTS if part not in got]
    expect(not missing, f"the dict has no {', '.join(map(repr, missing))}")
    return {part: float(as_array(got[part], f"bits of {part}").reshape(())) for part in PARTS}


@check(BITS, probe="MC-A14", weight=4)
def fixed_lengths(student: Student, rng: Generator) -> None:
    """positions and values with codes of fixed length."""
    for k in (3, 4, 15, 16):
        gaps, symbols, _ = _layer(rng)
        symbols = np.minimum(symbols, k)
        gap_bits, E = int(rng.integers(4, 7)), len(gaps)
        got = _count(student, gaps, symbols, k, gap_bits)
        left = int(np.sum(symbols > 0))
        each = k.bit_length()
        positions = {
            "the fillers are missing in the positions": left * gap_bits,
            "a gap takes gap_bits bits, whatever the largest gap is": (
                E * max(1, int(gaps.max()).bit_length())
            ),
        }
        values = {
            "the fillers are missing in the values": left * each,
            "there are K + 1 symbols, the filler is one of them": E * (k - 1).bit_length(),
            "a whole number of bits is needed for a symbol: round up": E * np.log2(k + 1),
            "bits of a symbol are rounded down": E * ((k + 1).bit_length() - 1),
            "these are bytes, not bits": E * each / 8,
        }
        expect_close(got["positions"], E * gap_bits, what="bits of positions", slips=positions)
        expect_close(got["values"], E * each, what="bits of values", slips=values)


@check(BITS, probe="MC-A14", weight=4)
def entropy_is_the_bound(student: Student, rng: Generator) -> None:
    """positions and values at Shannon's bound, in bits."""
    for _ in range(2):
        gaps, symbols, k = _layer(rng)
        got = _count(student, gaps, symbols, k, 4, coding="entropy")
        for part, values in (("positions", gaps), ("values", symbols)):
            E, H = len(values), entropy(values)
            left = symbols > 0
            slips = {
                "this is measured in nats: take logarithms to base 2": E * entropy(values, np.e),
                "this is the entropy of one symbol: there are E of them": H,
                "the fillers are missing": int(left.sum()) * entropy(values[left]),
                "the entropy is rounded up": E * np.ceil(H),
                "an entropy has a minus sign in front": -E * H,
                "the shares are not weighed: this is the mean over the kinds of symbols": (
                    E * float(-np.log2(np.unique(values, return_counts=True)[1] / E).mean())
                ),
            }
            expect_close(got[part], E * H, what=f"bits of {part}", slips=slips)


@check(BITS, probe="MC-A14", weight=2)
def codebook_is_counted(student: Student, rng: Generator) -> None:
    """codebook: its values times their bits, 16 where nothing is said, in both codings."""
    gaps, symbols, k = _layer(rng)
    for options, value_bits in (({}, 16), ({"value_bits": 32}, 32), ({"coding": "entropy"}, 16)):
        got = _count(student, gaps, symbols, k, 4, **options)
        slips = {
            "only the values that occur are counted; all K are stored": (
                value_bits * (len(np.unique(symbols)) - 1)
            ),
            "the codebook has K values, not K + 1": value_bits * (k + 1),
            "the bits of a value are 16 only where nothing is said": 16.0 * k,
        }
        expect_close(got["codebook"], k * value_bits, what="bits of the codebook", slips=slips)


@check(BITS, probe="MC-A14", weight=1, rare=True)
def nothing_and_one_kind(student: Student, rng: Generator) -> None:
    """No entries: 0 bits. Entries of one kind: an entropy of 0."""
    none, same = np.zeros(0, np.int64), np.full(9, 3)
    for coding in ("fixed", "entropy"):
        got = _count(student, none, none, 5, 4, 16, coding)
        for part in ("positions", "values"):
            expect_close(got[part], 0.0, what=f"bits of {part} of no entries, {coding}")
    got = _count(student, same, same, 5, 4, 16, "entropy")
    expect_close(got["values"], 0.0, what="bits of nine equal symbols, entropy")
