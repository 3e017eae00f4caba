"""BLEU: how many n-grams of a caption are in at least one of its references, in percent.

Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine Translation", ACL 2002. The
arithmetic is sacrebleu's (Post, "A Call for Clarity in Reporting BLEU Scores", WMT 2018).
"""

from collections.abc import Sequence

from cs231n_lib.errors import DataError
from cs231n_lib.extras import install


def corpus_bleu(
    candidates: Sequence[str], references: Sequence[Sequence[str]], max_n: int = 4
) -> float:
    """BLEU of many captions at once, each against all references of its image: 0 to 100.

    candidates: N texts, words separated by spaces, without <START> and <END>. references: for each
    candidate its list of texts; the lists may be of different lengths. max_n: the longest n-gram
    counted; 4 gives BLEU-4, 1 BLEU-1. Counts are added up over the corpus before they are divided,
    so this is not the mean of N scores. Nothing is smoothed, tokenised or put into lower case.
    Raises ValueError when the numbers do not match or an image has no reference, DataError when
    sacrebleu is not installed.
    """
    if len(candidates) != len(references):
        raise ValueError(f"{len(candidates)} candidates, but references for {len(references)}")
    if not candidates:
        raise ValueError("no candidates: BLEU is not defined for an empty list")
    if max_n < 1:
        raise ValueError(f"max_n is {max_n}; it is the number of words of the longest n-gram")
    for number, texts in enumerate(references):
        if isinstance(texts, str) or not texts:
            raise ValueError(f"references[{number}] must be a list of at least one text")
    try:
        from sacrebleu.metrics.bleu import BLEU  # here: only the captioning notebooks need it
    except ImportError as error:
        raise DataError(
            f"BLEU is computed by sacrebleu, which is not installed. Run {install('captions')}."
        ) from error
    metric = BLEU(tokenize="none", smooth_method="none", max_ngram_order=max_n, force=True)
    # sacrebleu wants as many references for each; one given twice changes no count and no length.
    most = max(map(len, references))
    columns = [
        [texts[min(column, len(texts) - 1)] for texts in references] for column in range(most)
    ]
    return min(100.0, float(metric.corpus_score(list(candidates), columns).score))
