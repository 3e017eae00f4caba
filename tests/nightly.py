"""What `make test-full` does every night, and `make test` a sample of.

Tests marked `nightly` are left out unless CS231N_NIGHTLY is 1, or the command line names them; what
is repeated with other random numbers is repeated twice.
"""

import os

#: Notebooks that train for more than ten seconds. By day our solution is graded from end to end
#: (those that take longest by night: test_demo), and the checks are asked what needs no training.
#: By night nbval runs all cells, other right solutions are graded, and our shell is compared with
#: an ordinary kernel.
TRAINING = {"svm", "softmax", "two_layer_net", "features"}
TRAINING |= {"FullyConnectedNets", "BatchNormalization", "Dropout", "ConvolutionalNetworks"}
TRAINING |= {"PyTorch", "Style_Transfer"}  # an image is trained, too
TRAINING |= {"RNN_Captioning", "LSTM_Captioning", "Transformer_Captioning"}
TRAINING |= {"Generative_Adversarial_Networks", "Self_Supervised_Learning"}
TRAINING |= {"DDPM", "CLIP_DINO"}
TRAINING |= {"Reinforcement_Learning", "Seq2Seq_Attention", "Model_Compression"}
NIGHTLY = os.environ.get("CS231N_NIGHTLY") == "1"


def rounds(at_night: int, *, by_day: int = 2) -> range:
    """How often to repeat a test: ``for number in rounds(25): ...``."""
    return range(at_night if NIGHTLY else by_day)
