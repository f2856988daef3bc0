"""The other side: a process that seals itself, takes an archive, and then answers arrays with arrays."""

from __future__ import annotations

import io
import os
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from audit.sandbox import channel, probe, seal

if TYPE_CHECKING:
    import torch

Run = Callable[["torch.Tensor"], Any]


def main(descriptor: int) -> None:
    """Serve one parent over a socket that is open as `descriptor`."""

    def take(size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            part = os.read(descriptor, min(size - len(parts), 1 << 20))
            if not part:
                os._exit(0)
            parts += part
        return bytes(parts)

    def say(header: dict[str, Any], body: bytes = b"") -> None:
        content = memoryview(channel.pack(header, len(body)) + body)
        while content:
            content = content[os.write(descriptor, content) :]

    job, _ = channel.receive(take, 0)
    tempfile.tempdir = os.environ["TMPDIR"]  # Python looks for one by writing a file
    try:
        import torch  # noqa: PLC0415 - its import makes a folder: before the seal, which nothing of the archive precedes

        if job["kind"] == "export":
            import torch.export  # noqa: PLC0415 - as above

        seal.seal(job["readable"], memory=job["memory"])
    except (seal.UnsealedError, ImportError, OSError, ValueError) as error:
        say({"unsealed": _said(error)})
        return
    say({"held": probe.held(job["forbidden"], descriptor, job["environment"])})
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    _, archive = channel.receive(take, job["largest"])
    signal.alarm(job["seconds"])  # a model that never ends does, even if the parent is gone
    try:
        run = _load(job["kind"], archive)
    except BaseException as error:  # noqa: BLE001 - as above
        say({"error": _said(error)})
        return
    del archive
    say({"ready": True})
    while True:
        signal.alarm(0)
        header, body = channel.receive(take, job["largest"])
        signal.alarm(job["seconds"])
        try:
            values = torch.frombuffer(bytearray(body), dtype=torch.float32).reshape(header["shape"])
            with torch.inference_mode():
                made = torch.stack([_vector(run(values[k : k + 1])) for k in range(len(values))])
            answer = made.numpy().astype("<f4").tobytes()
        except BaseException as error:  # noqa: BLE001 - as above
            say({"error": _said(error)})
        else:
            say({"shape": list(made.shape)}, answer)


def _load(kind: str, archive: bytes) -> Run:
    import torch  # noqa: PLC0415 - loaded already

    if kind == "script":
        script: Run = torch.jit.load(io.BytesIO(archive), map_location="cpu").eval()  # type: ignore[no-untyped-call]
        return script
    program: Run = torch.export.load(io.BytesIO(archive)).module()
    return program


def _vector(found: Any) -> torch.Tensor:
    """One template: the only output, or the first of several."""
    import torch  # noqa: PLC0415 - loaded already

    while isinstance(found, list | tuple) and found:
        found = found[0]
    if not isinstance(found, torch.Tensor):
        raise TypeError(f"the model answers {type(found).__name__}, not a tensor")
    return found.detach().to("cpu", torch.float32).reshape(-1)


def _said(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1] if lines else ''}"[:400]


if __name__ == "__main__":
    main(int(sys.argv[1]))
