"""Sealed evidence: a folder of results that anyone can check without an image or a template.

`seal` lists every file with its SHA-256 in an in-toto statement, signed (DSSE, Ed25519) if a key is given. `verify`
checks list, digests and signature, scans for what must not be published, computes the numbers again from the tables
beside the record, and draws the report again. The statement follows from the files alone, so there is no byte in a
bundle that could change unseen; what an unsigned bundle cannot show is who made it.
"""

from __future__ import annotations

from audit.bundle.finding import Finding
from audit.bundle.handing_on import archived
from audit.bundle.sealing import seal
from audit.bundle.verifying import state, verify

__all__ = ["Finding", "archived", "seal", "state", "verify"]
