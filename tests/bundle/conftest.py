"""One small audit for all tests of bundles: sealed with a key, and the key beside it."""

from __future__ import annotations

import pytest
from bundle_kept import Kept
from small_bundle import audited, copied

from audit.bundle import keys, seal


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    root = tmp_path_factory.mktemp("bundle")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACEAUDIT_CACHE", str(root / "cache"))
        folder = audited(root).folder
    key, public = keys.make(root / "key.pem", None)
    signed, unsigned = copied(folder, root / "signed"), copied(folder, root / "unsigned")
    seal(signed, key)
    seal(unsigned)
    return Kept(folder, signed, unsigned, key, public)
