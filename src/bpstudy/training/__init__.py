"""Fits of an `AtomicNetwork` to energies, and forces, of frames of any size: one objective, three optimizers."""

from bpstudy.training.fit import train
from bpstudy.training.forces import ForceData
from bpstudy.training.frames import FrameFits, Prediction, fit_frames, fit_sets, frame_set
from bpstudy.training.networks import FitSettings
from bpstudy.training.result import TrainingDivergedError, TrainingResult
from bpstudy.training.settings import TrainingSettings
from bpstudy.training.threads import set_threads

__all__ = [
    "FitSettings",
    "ForceData",
    "FrameFits",
    "Prediction",
    "TrainingDivergedError",
    "TrainingResult",
    "TrainingSettings",
    "fit_frames",
    "fit_sets",
    "frame_set",
    "set_threads",
    "train",
]
