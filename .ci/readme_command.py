"""Print one of the commands of the README, word for word: `demo`, `london` or `tests`."""

import re
import sys
from pathlib import Path

text = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
blocks = dict(zip(("demo", "london", "tests"), re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL), strict=False))
sys.stdout.write(blocks[sys.argv[1]])
