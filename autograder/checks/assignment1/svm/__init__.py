"""Hidden checks of the SVM notebook; oracle: torch's autograd in float64."""

from autograder.checks.assignment1.svm import losses, prediction, training, tuning

__all__ = ["losses", "prediction", "training", "tuning"]
