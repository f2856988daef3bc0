"""Write the software bill of materials of a wheel: CycloneDX 1.6, from the wheel and the lists beside the locks.

    SOURCE_DATE_EPOCH=... python .ci/sbom.py dist/faceaudit-1.0-py3-none-any.whl dist/faceaudit-1.0.cdx.json

Nothing is asked of the machine that it runs on, so the same wheel and lists give the same bytes anywhere. Components
are those of `locks/dependencies.json`; what only an extra brings along is optional. The digests of a component are
those of every archive of its release in `locks/tests.txt`: which of them is installed depends on the platform.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import sys
import tomllib
import uuid
from importlib.metadata import version
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.dependency import Dependency as Edge
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from dependencies import ROOT, US, listed, locked
from packageurl import PackageURL

_LICENCE = LicenseFactory()


def bom(wheel: Path) -> Bom:
    """Describe a wheel and all that an installation of it may bring along."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    made = Bom(version=1, serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"sha256:{digest}"))
    if "SOURCE_DATE_EPOCH" in os.environ:
        made.metadata.timestamp = dt.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), tz=dt.UTC)
    made.metadata.tools.components.add(
        Component(name="cyclonedx-python-lib", version=version("cyclonedx-python-lib"), type=ComponentType.LIBRARY)
    )
    made.metadata.component = _component(US, project["version"], project["license"], ComponentType.APPLICATION)
    made.metadata.component.description = project["description"]
    made.metadata.component.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=digest))
    made.metadata.properties.add(Property(name="faceaudit:platform", value="Linux x86_64, CPython 3.11"))
    lock, rows = locked(), listed()
    parts = {US: made.metadata.component}
    for row in rows:
        part = _component(row.name, row.version, row.licence, ComponentType.LIBRARY)
        part.scope = ComponentScope.OPTIONAL if row.extras else ComponentScope.REQUIRED
        part.external_references.add(
            ExternalReference(
                type=ExternalReferenceType.DISTRIBUTION,
                url=XsUri(str(part.purl)),
                comment="archives of this release",
                hashes=[
                    HashType(alg=HashAlgorithm.SHA_256, content=h) for h in sorted(dict(lock[row.name])[row.version])
                ],
            )
        )
        made.components.add(part)
        parts[row.name] = part
    needed = {row.name: row.needs for row in rows} | {US: tuple(row.name for row in rows if row.direct)}
    made.dependencies = [
        Edge(ref=parts[name].bom_ref, dependencies=[Edge(ref=parts[n].bom_ref) for n in needed[name]]) for name in parts
    ]
    return made


def _component(name: str, release: str, licence: str, kind: ComponentType) -> Component:
    purl = PackageURL("pypi", None, name, release)
    made = Component(name=name, version=release, type=kind, bom_ref=str(purl), purl=purl)
    made.licenses.add(_LICENCE.make_from_string(licence))
    return made


def text(wheel: Path) -> str:
    """Write the bill as JSON, and hold it to the standard's own schema.

    Raises
    ------
    ValueError
        If the schema does not allow it.
    """
    written = JsonV1Dot6(bom(wheel)).output_as_string(indent=1) + "\n"
    if fault := JsonStrictValidator(SchemaVersion.V1_6).validate_str(written):
        raise ValueError(f"{wheel.name}: the bill does not follow CycloneDX 1.6: {fault}")
    return written


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(text(Path(sys.argv[1])), encoding="utf-8")
