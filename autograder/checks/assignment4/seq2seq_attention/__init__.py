"""Hidden checks of the notebook on translation.

Recurrent networks are computed anew in the judge, from their equations and in float64. Decoders are
asked over a small network of the judge's, which writes a sentence that can be computed; only the
trained translator is asked over the student's own functions, with sentences drawn anew.
"""

from autograder.checks.assignment4.seq2seq_attention import (
    attention,
    beam,
    decoding,
    encoder,
    loss,
    step,
    training,
    translator,
)

__all__ = ["attention", "beam", "decoding", "encoder", "loss", "step", "training", "translator"]
