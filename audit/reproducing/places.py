"""Two documents walked side by side: pairs of what stands in the same place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from audit.record import group_text

ABSENT = object()
"""Stands for what one of the two documents does not have."""
NAMES = (
    "id", "measure", "metric", "view", "attributes", "attribute", "quantity", "stage", "factor", "detector", "kept_in",
    "group", "reference_group", "candidate", "against", "level", "mated", "operating_point", "rank", "share",
    "annotator", "policy", "target_fmr", "reason",
)  # fmt: skip
"""Fields by which an item of a list is known, in the order in which they are read."""
_RESULTS = ("policy", "target_fmr", "reason")
_SELDOM = ((*_RESULTS, "against", "level", "share"), (*_RESULTS, "share"), _RESULTS, ())
"""Left out of a name, as far as items can be told apart without: most of these may be results."""
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: the part of the record, the item in words, the field; and the items on both sides."""

    part: str
    item: str
    field: str
    recorded: Item
    again: Item

    def __str__(self) -> str:
        return ": ".join(text for text in (self.part.replace("_", " "), self.item, self.field) if text)


Pair = tuple[Place, Any, Any]


def pairs(recorded: Item, again: Item) -> Iterator[Pair]:
    """Every place of two documents, with what stands there; numbers in a list are one place."""
    for part in dict.fromkeys((*recorded, *again)):
        place = Place(part, "", "", recorded, again)
        yield from _walk(place, recorded.get(part, ABSENT), again.get(part, ABSENT))


def _walk(place: Place, recorded: Any, again: Any) -> Iterator[Pair]:
    if isinstance(recorded, dict) and isinstance(again, dict):
        within = Place(place.part, place.item, place.field, recorded, again) if _is_item(recorded) else place
        for name in dict.fromkeys((*recorded, *again)):
            field = f"{place.field} {name}".strip()
            inner = Place(within.part, within.item, field, within.recorded, within.again)
            yield from _walk(inner, recorded.get(name, ABSENT), again.get(name, ABSENT))
    elif _is_list_of_items(recorded) and _is_list_of_items(again) and (recorded or again):
        yield from _items(place, recorded, again)
    else:
        yield place, recorded, again


def _is_item(value: Item) -> bool:
    """Whether an object stands for itself, and is not an interval or a group within one."""
    return "interval" in value or "value" in value


def _is_list_of_items(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _items(place: Place, recorded: list[Item], again: list[Item]) -> Iterator[Pair]:
    """Items of two lists, matched by what they are of; by their position where that is not unique."""
    names = _telling(recorded, again)
    keyed = [
        {_key(one, names) if names else str(k): one for k, one in enumerate(side, start=1)}
        for side in (recorded, again)
    ]  # fmt: skip
    for key in dict.fromkeys((*keyed[0], *keyed[1])):
        here, there = (side.get(key, ABSENT) for side in keyed)
        item = ", ".join(text for text in (place.item, key) if text)
        inner = Place(place.part, item, place.field, keyed[0].get(key, {}), keyed[1].get(key, {}))
        if here is ABSENT or there is ABSENT:
            yield inner, here, there
        else:
            yield from _walk(inner, here, there)


def _telling(recorded: list[Item], again: list[Item]) -> tuple[str, ...]:
    """Names that tell the items of both lists apart, with as few results among them as it takes."""
    every = (*recorded, *again)
    present = [name for name in NAMES if any(name in one for one in every)]
    if not any(isinstance(one.get("mated"), bool) for one in every):  # else a count
        present = [name for name in present if name != "mated"]
    for left_out in _SELDOM:
        names = tuple(name for name in present if name not in left_out)
        if names and all(len({_key(one, names) for one in side}) == len(side) for side in (recorded, again)):
            return names
    return ()


def _key(item: Item, names: tuple[str, ...]) -> str:
    return ", ".join(_text(name, item[name]) for name in names if item.get(name) is not None)


def _text(name: str, value: Any) -> str:
    if name in {"reference_group", "against", "candidate"}:
        return f"against {group_text(value) if isinstance(value, dict) else value}"
    if isinstance(value, dict):
        return str(group_text(value))
    if isinstance(value, list):
        return " x ".join(map(str, value)) or "everyone"
    if name == "mated":
        return "mated" if value else "non-mated"
    return str(value) if isinstance(value, str) else f"{name.replace('_', ' ')} {value}"
