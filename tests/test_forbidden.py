"""What no program of this project does with what others wrote: data and results are never code, and nothing calls home.

ruff's rules "S" look for much of it; that they are on, and that nobody switched one off without a word, is tested here.
The rest is looked for by walking the syntax trees of everything that ships or builds.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(
    path
    for room in ("audit", "benchmarks", "docs", ".ci")
    for path in (ROOT / room).rglob("*.py")
    if "__pycache__" not in path.parts
)

NETWORK = {
    "aiohttp", "ftplib", "http.client", "http.server", "httpx", "imaplib", "pooch", "poplib", "requests", "smtplib",
    "socket", "socketserver", "ssl", "telnetlib", "urllib.request", "urllib3", "websockets", "xmlrpc",
}  # fmt: skip
REACHES = {
    "audit/download.py": {"requests", "pooch"},
    "audit/models/service_client.py": {"requests", "urllib3"},
    "audit/cluster.py": {"socket"},
    "audit/sandbox/child.py": {"socket"},
    "audit/sandbox/lane.py": {"socket"},
    "audit/sandbox/probe.py": {"socket"},
}
"""Who may reach out, and by what: downloads that were asked for, a service that the user names, a cluster that the user
names, and the two ends of the sandbox's own pair of sockets (the probe shows that no other can be made)."""
STARTS = {"audit/sandbox/child.py", "audit/sandbox/probe.py"}
"""Who may start a program: the sandbox its worker, the probe to show that it cannot."""
PICKLES = {"_pickle", "cloudpickle", "cPickle", "dill", "joblib", "jsonpickle", "marshal", "pickle", "shelve"}
RUNS_FILES = {"torch.jit.load", "torch.export.load"}
"""Loaders that run what a file says: in the sealed process alone."""
SEALED = "audit/sandbox/runs.py"


def imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call) and called(node) in {"__import__", "import_module", "importlib.import_module"}:
        first = node.args[0] if node.args else None
        yield first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def within(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def called(node: ast.AST) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def given(node: ast.AST, name: str) -> str | None:
    """The argument of a call by its name, as it stands there."""
    found = [ast.unparse(k.value) for k in node.keywords if k.arg == name] if isinstance(node, ast.Call) else []
    return found[0] if found else None


def last(node: ast.AST) -> str:
    return called(node).rpartition(".")[2]


Found = Callable[[ast.AST, str], bool]
RULES: dict[str, tuple[Found, tuple[str, ...]]] = {
    "text is run as code": (
        lambda node, _: (
            called(node) in {"eval", "exec", "compile", "builtins.eval", "builtins.exec", "pd.eval", "pandas.eval"}
            or (last(node) == "eval" and isinstance(node, ast.Call) and bool(node.args))
            or called(node).endswith(("frame.query", "df.query"))
        ),
        ("eval(x)", "exec(x)", "compile(x, '', 'exec')", "frame.eval(x)", "frame.query(x)"),
    ),
    "objects are unpickled": (
        lambda node, _: (
            any(within(name, PICKLES) for name in imports(node))
            or last(node) in {"read_pickle", "to_pickle"}
        ),
        ("import pickle", "from joblib import load", "importlib.import_module('dill')", "pd.read_pickle(x)"),
    ),
    "an array file may hold objects": (
        lambda node, _: (
            called(node) in {"np.load", "numpy.load"} and given(node, "allow_pickle") != "False"
        ) or given(node, "allow_pickle") not in {None, "False"},
        ("np.load(x)", "np.load(x, allow_pickle=True)", "np.load(x, allow_pickle=flag)",
         "np.save(x, y, allow_pickle=1)"),
    ),
    "weights may hold objects": (
        lambda node, _: called(node) == "torch.load" and given(node, "weights_only") != "True",
        ("torch.load(x)", "torch.load(x, weights_only=False)", "torch.load(x, weights_only=flag)"),
    ),
    "a program in a file runs outside the sandbox": (
        lambda node, place: called(node) in RUNS_FILES and place != SEALED,
        ("torch.jit.load(x)", "torch.export.load(x)"),
    ),
    "weights come from somewhere": (
        lambda node, _: last(node) in {"load_state_dict_from_url", "hf_hub_download", "snapshot_download"}
        or called(node).startswith("torch.hub.")
        or given(node, "pretrained") not in {None, "None", "False"},
        ("torch.hub.load(x)", "load_state_dict_from_url(x)", "Net(pretrained='vggface2')", "hub.hf_hub_download(x)"),
    ),
    "YAML is read": (
        lambda node, _: any(within(name, {"yaml", "ruamel"}) for name in imports(node)),
        ("import yaml", "from ruamel.yaml import YAML"),
    ),
    "a shell runs": (
        lambda node, _: given(node, "shell") not in {None, "False"}
        or called(node) in {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"},
        ("subprocess.run(x, shell=True)", "subprocess.run(x, shell=flag)", "os.system(x)"),
    ),
    "a program is started": (
        lambda node, place: place not in STARTS
        and (
            any(within(name, {"subprocess", "pty", "asyncio.subprocess"}) for name in imports(node))
            or bool(re.fullmatch(r"os\.(exec|spawn|posix_spawn)\w*", called(node)))
        ),
        ("import subprocess", "from subprocess import run", "os.execv(x, y)"),
    ),
    "an archive is unpacked unseen": (
        lambda node, _: last(node) == "extractall" or called(node) == "shutil.unpack_archive"
        or (last(node) == "extract" and given(node, "path") is not None),
        ("archive.extractall(x)", "archive.extractall(x, filter='data')", "shutil.unpack_archive(x)",
         "z.extract(n, path=x)"),
    ),
    "a temporary name can be taken by another": (
        lambda node, _: last(node) in {"mktemp", "tmpnam", "tempnam"},
        ("tempfile.mktemp()",),
    ),
    "whoever answers is believed": (
        lambda node, _: given(node, "verify") not in {None, "True"}
        or last(node) == "_create_unverified_context"
        or (isinstance(node, ast.Attribute) and node.attr == "CERT_NONE")
        or (isinstance(node, ast.Assign) and any(getattr(t, "attr", "") == "verify" for t in node.targets)
            and ast.unparse(node.value) != "True"),
        ("requests.get(x, verify=False)", "session.verify = False", "ssl._create_unverified_context()",
         "x = ssl.CERT_NONE"),
    ),
    "the network is reached": (
        lambda node, place: any(within(name, NETWORK - REACHES.get(place, set())) for name in imports(node)),
        ("import requests", "from urllib import request", "from urllib.request import urlopen", "import http.client",
         "def f():\n    import socket"),
    ),
    "a template does not escape": (
        lambda node, _: (
            last(node) == "Environment"
            and (given(node, "loader") is not None or called(node).startswith("jinja2."))
            and given(node, "autoescape") != "True"
        )
        or called(node) == "jinja2.Template"
        or "jinja2.Template" in imports(node),
        ("Environment(loader=x)", "jinja2.Environment(autoescape=flag)", "jinja2.Template(x)",
         "from jinja2 import Template"),
    ),
}  # fmt: skip


def findings(text: str, place: str) -> set[str]:
    nodes = list(ast.walk(ast.parse(text)))
    return {f"{place}: {what}" for what, (found, _) in RULES.items() if any(found(node, place) for node in nodes)}


@pytest.mark.parametrize(("what", "sample"), [(what, s) for what, (_, samples) in RULES.items() for s in samples])
def test_each_rule_finds_what_it_looks_for(what: str, sample: str) -> None:
    assert findings(sample, "audit/x.py") >= {f"audit/x.py: {what}"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_that_ships_or_builds_does_any_of_it(path: Path) -> None:
    assert findings(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()) == set()


def test_every_exception_is_needed() -> None:
    """A place that no longer reaches out, or starts nothing, loses its leave."""
    for place, packages in REACHES.items():
        named = {name for node in ast.walk(ast.parse((ROOT / place).read_text())) for name in imports(node)}
        assert all(any(within(name, {package}) for name in named) for package in packages), place
    assert all((ROOT / place).is_file() for place in {*STARTS, SEALED})


SNIPPET = {
    "S102": "exec(x)", "S202": "import tarfile\ntarfile.open(x).extractall()", "S301": "import pickle\npickle.loads(x)",
    "S302": "import marshal\nmarshal.loads(x)", "S306": "import tempfile\ntempfile.mktemp()", "S307": "eval(x)",
    "S310": "import urllib.request\nurllib.request.urlopen(x)", "S314": "import xml.etree.ElementTree as E\nE.parse(x)",
    "S323": "import ssl\nssl._create_unverified_context()", "S324": "import hashlib\nhashlib.md5(x)",
    "S501": "import requests\nrequests.get(x, verify=False, timeout=1)", "S506": "import yaml\nyaml.load(x)",
    "S602": "import subprocess\nsubprocess.run(x, shell=True)", "S605": "import os\nos.system(x)",
    "S701": "import jinja2\njinja2.Environment()",
    "S704": "import markupsafe\nmarkupsafe.Markup(x)",
}  # fmt: skip


def test_the_linter_looks_for_its_part() -> None:
    """With this project's settings, in each room: a file that does all of it is told for all of it."""
    text = "\n".join(SNIPPET.values()) + "\n"
    for room in ("audit", "docs", ".ci", "tests"):
        command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "json"]
        run = subprocess.run(
            [*command, "--stdin-filename", str(ROOT / room / "x.py"), "-"],
            input=text, capture_output=True, text=True, check=False, cwd=ROOT,
        )  # fmt: skip
        assert {found["code"] for found in json.loads(run.stdout)} >= set(SNIPPET), room


def test_the_linter_is_silenced_in_few_places_and_each_says_why() -> None:
    silenced = {
        (path.relative_to(ROOT).as_posix(), code, said.strip(" -"))
        for path in FILES
        for codes, said in re.findall(r"# noqa: ([A-Z0-9, ]+)(.*)", path.read_text(encoding="utf-8"))
        for code in re.findall(r"S\d+", codes)
    }
    assert all(said for _, _, said in silenced)
    assert {(place, code) for place, code, _ in silenced} == {
        ("audit/sandbox/child.py", "S603"), ("audit/sandbox/probe.py", "S606"), ("audit/report/site/pages.py", "S704"),
        ("audit/report/site/method.py", "S704"), ("audit/report/html.py", "S704"), ("audit/bundle/keys.py", "S105"),
    }  # fmt: skip


def test_templates_pass_nothing_of_a_record_by_the_escaping() -> None:
    """The one `safe` stands behind a text of our own; blocks that switch escaping off do not exist."""
    templates = sorted((ROOT / "audit" / "report" / "templates").rglob("*.j2"))
    assert len(templates) >= 14
    passed = [found for path in templates for found in re.findall(r"(\S+ *\| *safe)", path.read_text(encoding="utf-8"))]
    assert passed == ['scope="row"\' | safe']
    for path in templates:
        text = path.read_text(encoding="utf-8")
        assert "autoescape" not in text, path
        assert (
            not re.search(r"\s(on\w+|style)\s*=\s*[\"'{]", re.sub(r"{%.*?%}", "", text))
            or path.name == "notebook.html.j2"
        )
