"""Read a JSON file that nobody here wrote: whatever is wrong with it is one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from audit.errors import DataError


def read(path: Path, *, way_out: str) -> Any:
    """Read a file in which no key stands twice.

    Parameters
    ----------
    way_out : str
        What to do about a file that cannot be read, or is no text.

    Raises
    ------
    DataError
        Naming file, line or key.
    """

    def no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in pairs:
            if key in made:
                raise DataError(f"{path}#/{key}", "this key stands twice", "Keep one of them")
            made[key] = value
        return made

    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=no_duplicates)
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}", way_out) from None
    except UnicodeDecodeError as error:
        raise DataError(str(path), f"is not UTF-8 (byte {error.start})", way_out) from None
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{error.lineno}", f"is not JSON: {error.msg}", "Mend that line") from None
    except RecursionError:
        raise DataError(str(path), "is nested too deeply", way_out) from None
    except ValueError:
        raise DataError(str(path), "holds a number of thousands of digits", way_out) from None
