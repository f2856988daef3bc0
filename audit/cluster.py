"""A Ray cluster: whether it is there, and the connection to it. What runs on it stands where the work is described.

`audit.compare.distributed` counts comparisons there, `audit.extract_on_cluster` makes templates.
"""

from __future__ import annotations

import contextlib
import importlib.util
import socket
import warnings
from collections.abc import Iterator
from typing import Any

from audit.errors import PlanError

LOCAL = "ray"
"""A cluster on this machine, started for the run."""
PATIENCE = 5.0
"""Seconds to wait for an answer at an address."""


@contextlib.contextmanager
def connected(address: str) -> Iterator[Any]:
    """A connection to a cluster, or a cluster of this machine's own.

    Raises
    ------
    PlanError
        If Ray is not installed, or nothing answers.
    """
    require(address)
    import ray  # noqa: PLC0415 - an extra

    ours = not ray.is_initialized()
    if ours:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what matters is raised
                if address == LOCAL:
                    ray.init("local", include_dashboard=False, log_to_driver=False, configure_logging=False)
                else:
                    ray.init(address, log_to_driver=False, configure_logging=False)
        except Exception as error:  # noqa: BLE001 - a node that does not start in time is a plain one
            way_out = "Start one with: ray start --head. One that asks for a token needs RAY_AUTH_MODE=token here"
            raise PlanError("--workers", f"no Ray at {address}: {error}", way_out) from None
    try:
        yield ray
    finally:
        if ours:
            ray.shutdown()


def require(address: str) -> None:
    """Find out before the work that there is no such cluster.

    Raises
    ------
    PlanError
        If Ray is not installed, the address is none, or nothing answers there.
    """
    if importlib.util.find_spec("ray") is None:
        raise PlanError("--workers", f"found {address!r}, but Ray is not installed", "pip install 'faceaudit[ray]'")
    if address == LOCAL:
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if (
        not address.startswith("ray://")
        or not host
        or not (port.isascii() and port.isdecimal() and len(port) < 6)
        or not 0 < int(port) < 65536
    ):
        raise PlanError("--workers", f"found {address!r}", "Give a number, ray, or ray://HOST:PORT")
    try:
        socket.create_connection((host, int(port)), timeout=PATIENCE).close()
    except OSError as error:
        why = error.strerror or str(error)
        raise PlanError("--workers", f"no Ray at {address}: {why}", "Start one with: ray start --head") from None
