"""The formats of the real audit: small, whole, and kept as pictures of pages."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
import pytest
from huggingface_hub import ModelCard
from london_run import Run

from audit.record import read
from audit.report import FORMATS, render

pytestmark = pytest.mark.london
PAGES = Path(__file__).resolve().parents[2] / "artifacts" / "pages"


def test_both_models_in_every_format(london_results: tuple[Path, Run], tmp_path: Path) -> None:
    records = sorted(london_results[0].rglob("record.json"))
    assert len(records) == 2
    PAGES.mkdir(parents=True, exist_ok=True)
    for place in records:
        record = read(place)
        out = tmp_path / record.model.name
        render(record, out, tuple(FORMATS))
        assert (out / "report.html").stat().st_size <= 1_500_000
        assert (out / "report.pdf").stat().st_size <= 1_500_000
        card = ModelCard.load(out / "model_card.md")
        assert card.data.model_name == record.model.name
        assert len(card.data.eval_results) > 50
        document = pypdfium2.PdfDocument(out / "report.pdf")
        assert document[1].get_textpage().get_text_bounded().startswith("Contents"), "the first page is one page"
        assert 15 <= len(document) <= 45
        for number, page in enumerate(document, 1):
            page.render(scale=1).to_pil().save(PAGES / f"london-{record.model.name}-{number:02}.png")
        document.close()
