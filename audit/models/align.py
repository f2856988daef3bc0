"""Five-point alignment: the similarity transform that carries a face's landmarks to a template, and its crop."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ARCFACE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
"""Landmarks of the ArcFace template in a crop of 112 x 112 pixels (Deng et al. 2019, as in insightface)."""


def similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least-squares similarity transform (rotation, one scale, translation; no reflection) of points onto points.

    Umeyama (1991), equations 40 to 42, in two dimensions.

    Parameters
    ----------
    source, target : float, n x 2

    Returns
    -------
    float, 2 x 3
        M with target ~ M[:, :2] @ source + M[:, 2].

    Raises
    ------
    ValueError
        If the source points coincide or a number is not finite.

    Examples
    --------
    >>> square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    >>> similarity(square, 2 * square + [3, 4]).round(9).tolist()
    [[2.0, 0.0, 3.0], [0.0, 2.0, 4.0]]
    """
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise ValueError("a landmark is not a finite number")
    mean_source, mean_target = source.mean(axis=0), target.mean(axis=0)
    centred, wanted = source - mean_source, target - mean_target
    variance = float((centred**2).sum()) / len(source)
    if variance <= 0:
        raise ValueError("all landmarks fall on one point")
    left, values, right = np.linalg.svd(wanted.T @ centred / len(source))
    signs = np.array([1.0, math.copysign(1.0, float(np.linalg.det(left) * np.linalg.det(right)))])
    turn = left @ np.diag(signs) @ right
    scale = float((values * signs).sum()) / variance
    return np.column_stack([scale * turn, mean_target - scale * turn @ mean_source])


def crop(image: NDArray[np.uint8], points: NDArray[np.float64], size: int | tuple[int, int]) -> NDArray[np.uint8]:
    """Cut out a face so that its five landmarks lie on the ArcFace template, scaled to `size`.

    Parameters
    ----------
    image : uint8, height x width x 3
    points : float, 5 x 2
        Landmarks in pixel indices of the image (the middle of the first pixel is 0).
    size : int, or (width, height)
        Of the crop in pixels. In one that is not square the template is as large as fits, in the middle.

    Returns
    -------
    uint8, height x width x 3
        What lies outside the image is black.

    Raises
    ------
    ValueError
        If the landmarks define no transform.
    """
    shape = (size, size) if isinstance(size, int) else size
    side = min(shape)
    forward = similarity(points, ARCFACE * (side / 112) + (np.array(shape) - side) / 2)
    scale = math.hypot(forward[0, 0], forward[1, 0])
    if scale <= 0:
        raise ValueError("the landmarks define no scale")
    picture = Image.fromarray(image)
    # Bilinear sampling looks at four pixels only: a larger picture is first averaged down, or it would alias.
    reduction = max(1, int(1 / scale))
    if reduction > 1:
        picture = picture.reduce(reduction)
    turn = np.linalg.inv(forward[:, :2])
    shift = -turn @ forward[:, 2]
    # PIL's transform counts from the edge of the first pixel: half a pixel is taken off and put on again.
    edge = shift + 0.5 - turn @ np.array([0.5, 0.5])
    matrix = np.column_stack([turn, edge]) / reduction
    out = picture.transform(shape, Image.Transform.AFFINE, tuple(matrix.ravel()), Image.Resampling.BILINEAR)
    return np.asarray(out)


def box_crop(
    image: NDArray[np.uint8], box: NDArray[np.float64], size: int | tuple[int, int], margin: float = 0.0
) -> NDArray[np.uint8]:
    """Cut out a box and resize it; without a margin as facenet-pytorch's `extract_face` does.

    Parameters
    ----------
    image : uint8, height x width x 3
    box : float, 4
        Left, top, right, bottom.
    size : int, or (width, height)
        Of the crop in pixels; the box is stretched to it.
    margin : float
        Share of the box's sides that is added around it, half on each side; what lies outside the image is left out.

    Returns
    -------
    uint8, height x width x 3

    Raises
    ------
    ValueError
        If the box lies outside the image.
    """
    height, width = image.shape[:2]
    more = (box[2:] - box[:2]) * (margin / 2)
    left, top = (int(max(float(edge), 0)) for edge in box[:2] - more)
    right, bottom = (int(min(float(edge), most)) for edge, most in zip(box[2:] + more, (width, height), strict=True))
    if right <= left or bottom <= top:
        raise ValueError("the box lies outside the image")
    picture = Image.fromarray(image).crop((left, top, right, bottom))
    return np.asarray(picture.resize((size, size) if isinstance(size, int) else size, Image.Resampling.BILINEAR))
