"""Fits of an `AtomicNetwork` to cell energies, and forces: one objective, one history, three optimizers."""

from bpstudy.training.fit import train
from bpstudy.training.forces import ForceData
from bpstudy.training.result import TrainingDivergedError, TrainingResult
from bpstudy.training.settings import TrainingSettings
from bpstudy.training.threads import set_threads

__all__ = ["ForceData", "TrainingDivergedError", "TrainingResult", "TrainingSettings", "set_threads", "train"]
