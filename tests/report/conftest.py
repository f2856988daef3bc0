"""Records of known content for the report's tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from audit.record import EvaluationRecord, dumps
from audit.report import html, pdf
from audit.report.view import make

_PDFS: dict[int, bytes] = {}


@pytest.fixture(scope="session")
def builder() -> ModuleType:
    place = Path(__file__).with_name("report_builder.py")
    spec = importlib.util.spec_from_file_location("report_builder", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["report_builder"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def london_like(builder: ModuleType) -> EvaluationRecord:
    return builder.london_like()


@pytest.fixture(
    scope="session",
    params=[
        "london_like",
        "beside",
        "hostile",
        "failing",
        "empty",
        "ungrouped",
        "equivalent",
        "crossing",
        "conditioned",
    ],
)
def any_record(request: pytest.FixtureRequest, builder: ModuleType) -> EvaluationRecord:
    return getattr(builder, request.param)()


@pytest.fixture(scope="session")
def any_page(any_record: EvaluationRecord) -> str:
    return html.page(make(any_record))


@pytest.fixture(scope="session")
def london_page(london_like: EvaluationRecord) -> str:
    return html.page(make(london_like))


@pytest.fixture(scope="session")
def any_pdf(any_record: EvaluationRecord) -> bytes:
    """Made once a record, in whatever order the tests ask."""
    key = hash(dumps(any_record))
    if key not in _PDFS:
        _PDFS[key] = pdf.document(make(any_record), any_record.created)
    return _PDFS[key]


@pytest.fixture(scope="session")
def london_pdf(london_like: EvaluationRecord) -> bytes:
    return pdf.document(make(london_like), london_like.created)
