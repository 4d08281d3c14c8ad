"""One training loop: schedules, mixed precision, checkpoints with exact resume, several models together."""

from lggkit.training.checkpoint import CheckpointDamaged, CheckpointError, read_checkpoint, write_checkpoint
from lggkit.training.config import TrainConfig
from lggkit.training.loop import train, train_many
from lggkit.training.memory import OutOfMemory
from lggkit.training.processor import CodePath, choose_path
from lggkit.training.schedules import Cosine, MultiStep, OneCycle, Restart, Schedule
from lggkit.training.step import Objective, cross_entropy
from lggkit.training.stream import Batch, Stream
from lggkit.training.task import PathTaken, TrainResult
from lggkit.training.teacher import Teacher

__all__ = [
    "Batch",
    "CheckpointDamaged",
    "CheckpointError",
    "CodePath",
    "Cosine",
    "MultiStep",
    "Objective",
    "OneCycle",
    "OutOfMemory",
    "PathTaken",
    "Restart",
    "Schedule",
    "Stream",
    "Teacher",
    "TrainConfig",
    "TrainResult",
    "choose_path",
    "cross_entropy",
    "read_checkpoint",
    "train",
    "train_many",
    "write_checkpoint",
]
