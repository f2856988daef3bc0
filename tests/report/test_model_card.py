"""The section of a model card: the hub's own parser reads what the record says."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from huggingface_hub import ModelCard
from huggingface_hub.repocard_data import eval_results_to_model_index

from audit.record import EvaluationRecord
from audit.report import markdown, model_card, parts
from audit.report.view import make


def metadata(page: str) -> dict[str, Any]:
    return yaml.safe_load(page.split("---\n", 2)[1])


def test_the_hub_reads_every_rate_with_its_counts(any_record: EvaluationRecord) -> None:
    page = model_card.page(any_record, make(any_record))
    card = ModelCard(page)
    wanted = [
        rate
        for rate in any_record.rates
        if rate.metric in ("FMR", "FNMR", "FTA")
        and rate.value is not None
        and rate.reference_group is None
        and not (rate.operating_point or "").startswith("per-group")
    ]
    found = card.data.eval_results or []
    assert [(r.metric_value, r.metric_args["errors"], r.metric_args["trials"]) for r in found] == [
        (rate.value, rate.errors, rate.trials) for rate in wanted
    ]
    for result, rate in zip(found, wanted, strict=True):
        assert result.metric_type == model_card.TYPES[rate.metric]
        assert f"{rate.errors:,} of {rate.trials:,}" in result.metric_name
        assert result.verified is False
        assert result.metric_args["support"] == rate.support
        assert (result.metric_args["low"], result.metric_args["high"]) == (rate.interval.low, rate.interval.high)
    assert "## Error rates by demographic group" in card.text
    assert markdown.escape(make(any_record).headline) in card.text


def test_what_the_hub_read_it_writes_back_alike(london_like: EvaluationRecord) -> None:
    page = model_card.page(london_like, make(london_like))
    data = ModelCard(page).data
    assert eval_results_to_model_index(data.model_name, data.eval_results) == metadata(page)["model-index"]
    assert metadata(page) == {"model-index": [model_card.index(london_like)]}


def test_a_merged_card_keeps_both(london_like: EvaluationRecord, tmp_path: Path) -> None:
    """Somebody pastes the metadata into a card of their own."""
    page = model_card.page(london_like, make(london_like))
    own = ModelCard(f"---\nlicense: mit\n{page.split('---', 2)[1]}---\n# My model\n")
    own.save(tmp_path / "README.md")
    again = ModelCard.load(tmp_path / "README.md")
    assert again.data.license == "mit"
    assert len(again.data.eval_results) == len(ModelCard(page).data.eval_results)


def test_hostile_names_stay_text_in_metadata(builder: ModuleType) -> None:
    names = {"female": "a: b\n- c", "black": '"}]', "white": "!!python/object:os.system", "male": "---",
             "dlib": "&a *b #c",
             "london": "{{x}}: [", "east_asian": "👩🏽‍🦱 \x07", "west_asian": "y" * 10_000, "gender": "no"}  # fmt: skip
    record = builder.renamed(builder.london_like(), names)
    page = model_card.page(record, make(record))
    found = metadata(page)
    assert found == {"model-index": [model_card.index(record)]}
    assert found["model-index"][0]["name"] == "&a *b #c"
    groups = {metric["args"]["group"] for metric in found["model-index"][0]["results"][0]["metrics"]}
    assert "no=a: b - c" in groups
    assert "ethnicity=!!python/object:os.system" in groups
    assert all(len(group) < 200 for group in groups)
    assert len(ModelCard(page).data.eval_results) == len(found["model-index"][0]["results"][0]["metrics"])


def test_small_numbers_are_numbers_to_every_reader() -> None:
    for value in (1e-05, 2.5e-07, 0.1, 3, 1e22):
        assert yaml.safe_load(model_card._scalar(value)) == value


def test_the_limits_go_along(any_record: EvaluationRecord) -> None:
    """A card is read without the report."""
    view = make(any_record)
    page = model_card.page(any_record, view)
    (limits,) = (s for s in view.sections if s.id == "limits")
    (listed,) = (b for b in limits.blocks if isinstance(b, parts.Listing))
    assert f"### {limits.title}" in page
    assert len(listed.items) > len(any_record.limits)
    assert all(f"- {markdown.escape(item)}" in page for item in listed.items)
