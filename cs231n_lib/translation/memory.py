"""What a decoder may look at while it writes."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Memory:
    """N encoded sentences of S positions.

    states (N, S, D): the encoder's states. mask (N, S): True at words, False at padding. sentence
    (N, D): one vector for each sentence. keys (N, S, A): what attention compares with its queries,
    where there is attention.
    """

    states: Tensor
    mask: Tensor
    sentence: Tensor
    keys: Tensor | None = None

    def expand(self, count: int) -> "Memory":
        """One sentence, ``count`` times: for ``count`` hypotheses about it.

        Raises ValueError where there are several sentences.
        """
        if len(self.states) != 1:
            raise ValueError(f"{len(self.states)} sentences; one can be expanded")
        keys = None if self.keys is None else self.keys.expand(count, -1, -1)
        return Memory(
            self.states.expand(count, -1, -1),
            self.mask.expand(count, -1),
            self.sentence.expand(count, -1),
            keys,
        )
