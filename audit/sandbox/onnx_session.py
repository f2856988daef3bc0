"""How a session of onnxruntime is made: the same in a sandbox and in this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def make(
    content: bytes | bytearray, *, providers: Sequence[str] = ("CPUExecutionProvider",), as_it_stands: bool = False
) -> InferenceSession:
    """Make a session with one thread an image, for images are worked on side by side.

    Parameters
    ----------
    content : bytes of an ONNX model
    providers : of onnxruntime
    as_it_stands : the graph is not rewritten into a faster one

    Raises
    ------
    Exception
        Whatever onnxruntime raises: its own exceptions share no public base.
    """
    import onnxruntime  # noqa: PLC0415 - heavy

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # it is raised; what would be printed holds names of the file
    options.add_session_config_entry("session.load_model_format", "ONNX")  # what was checked, and not its own format
    if as_it_stands:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(bytes(content), options, providers=list(providers))
