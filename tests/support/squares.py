"""Pictures of bright squares, and a face detector in an ONNX file that finds bright squares: every count is known.

A picture is black and 64 pixels wide, with a square of 16 pixels in the second row and column of a grid. The network
averages each of the grid's 16 cells: its confidence is the brightness of the cell, its box the cell.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import made_up
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

SIDE, CELL = 64, 16
BRIGHT, DIM = 255, 128
CARD = """
name = "squares"
licence = "any"
training_data = "nothing: it averages"
training_consent = "nobody is shown"
confidence = 0.4
lowest = 0.1
meaning = "brightness"
box = "the cell"
{more}
[input]
size = [64, 64]
deviation = [255, 255, 255]
[output]
boxes = "boxes"
scores = "scores"
{output}
[weights]
file = "squares.onnx"
sha256 = "{sha256}"
"""


def network(path: Path, *, spoil: float | None = None) -> None:
    """Write the detector; `spoil` is added to every confidence (a NaN makes all of them that)."""
    corners = np.array([[c, r, c + 1, r + 1] for r in range(4) for c in range(4)], np.float32) / 4
    nodes = [
        helper.make_node("AveragePool", ["picture"], ["cells"], kernel_shape=[CELL, CELL], strides=[CELL, CELL]),
        helper.make_node("ReduceMean", ["cells"], ["grey"], axes=[1], keepdims=0),
        helper.make_node("Reshape", ["grey", "column"], ["plain"]),
        helper.make_node("Add", ["plain", "spoil"], ["scores"]),
        helper.make_node("Identity", ["corners"], ["boxes"]),
    ]
    held = [
        numpy_helper.from_array(np.array([16, 1]), "column"),
        numpy_helper.from_array(corners, "corners"),
        numpy_helper.from_array(np.array([spoil or 0.0], np.float32), "spoil"),
    ]
    graph = helper.make_graph(
        nodes,
        "squares",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [16, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [16, 1]),
        ],
        held,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


def card(folder: Path, *, more: str = "", output: str = "", spoil: float | None = None) -> str:
    """Write the detector with its card; gives the name of the model."""
    folder.mkdir(parents=True, exist_ok=True)
    network(folder / "squares.onnx", spoil=spoil)
    sha256 = hashlib.sha256((folder / "squares.onnx").read_bytes()).hexdigest()
    (folder / "squares.toml").write_text(CARD.format(more=more, output=output, sha256=sha256))
    return f"card:{folder / 'squares.toml'}"


def picture(value: int, *others: tuple[int, int]) -> np.ndarray:
    """A square of some brightness in its place, and as bright ones at other (row, column) of the grid."""
    made = np.zeros((SIDE, SIDE, 3), np.uint8)
    for row, column in ((1, 1), *others):
        made[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL] = value
    return made


def benchmark(
    folder: Path,
    *,
    people: int = 4,
    marked: Callable[[int, int], bool] = lambda *_: True,
    pictures: Mapping[str, np.ndarray | bytes] | None = None,
) -> Path:
    """Two pictures each of people; the first half has bright squares (female), the second dim ones (male).

    Parameters
    ----------
    marked : whether the box of a picture is marked, by person and number
    pictures : sample ids to what stands in place of the picture
    """
    (folder / "images").mkdir(parents=True)
    rows, who = ["sample_id,path,subject_id,box_left,box_top,box_width,box_height"], ["subject_id,gender,origin,age"]
    for person in range(people):
        female = person < people // 2
        who.append(f"p{person},{'female' if female else 'male'},NA,30")
        for number in range(2):
            name = f"p{person}-{number}"
            path = folder / "images" / f"{name}.png"
            content = (pictures or {}).get(name, picture(BRIGHT if female else DIM))
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                Image.fromarray(content).save(path)
            box = "16,16,16,16" if marked(person, number) else ",,,"
            rows.append(f"{name},images/{name}.png,p{person},{box}")
    (folder / "samples.csv").write_text("\n".join(rows) + "\n")
    (folder / "subjects.csv").write_text("\n".join(who) + "\n")
    (folder / "croissant.json").write_text(json.dumps(made_up.describe(folder)))
    return folder
