"""A CUDA graph of what a function does, on a CUDA stream of its own."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch


def record(body: Callable[[], None]) -> tuple[Callable[[], None], torch.cuda.Stream]:
    """A function that replays ``body`` from a CUDA graph, and a stream for it; runs ``body`` three times.

    All of it on that stream: cuBLAS keeps a workspace for each, which graphs that run at once must not share.
    """
    lane = torch.cuda.Stream()
    lane.wait_stream(torch.cuda.current_stream())
    try:
        with torch.cuda.stream(lane):
            body()
            body()
            with waiting_forbidden():
                body()
    finally:
        torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=lane):
        body()
    return graph.replay, lane


@contextmanager
def waiting_forbidden() -> Iterator[None]:
    """Raise where the host waits for the device: in a capture that would break the allocator for good."""
    before = torch.cuda.get_sync_debug_mode()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Synchronization debug mode")
            torch.cuda.set_sync_debug_mode("error")
        yield
    finally:
        torch.cuda.set_sync_debug_mode(before)
