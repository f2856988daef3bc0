"""A black box behind an address: what is sent, what is believed of an answer, and what happens when it misbehaves."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from black_box import Answer, BlackBox, Request, serving
from pydantic import ValidationError

from audit.domain import FailureToAcquire
from audit.errors import ModelError
from audit.models import service_client
from audit.models.guard import NoTemplateError
from audit.models.http import encoded
from audit.models.service import Service, looked_up, template_of
from audit.models.service_client import Client

IMAGE = np.random.default_rng(3).integers(0, 256, (40, 30, 3), dtype=np.uint8)
FINE = Answer({"result": {"embedding": [1.0, 2.0, 3.0]}})


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_client, "_FIRST_PAUSE_S", 0.02)


def declared(box: BlackBox | None = None, **more: Any) -> Service:
    host = "127.0.0.1:9" if box is None else box.host
    return Service.model_validate(
        {"url": f"http://{host}/v1/embed", "template": "result.embedding", "per_second": 1000, **more}
    )


def asked(box: BlackBox, **more: Any) -> np.ndarray:
    service = declared(box, **more)
    return template_of(Client(service, "7").ask(encoded(IMAGE, service)), service, 3)


def failure(box: BlackBox, **more: Any) -> FailureToAcquire:
    with pytest.raises(NoTemplateError) as failed:
        asked(box, **more)
    return failed.value.failure


def in_turn(*answers: Answer) -> Callable[[Request, int], Answer]:
    return lambda _, index: answers[min(index, len(answers) - 1)]


@pytest.mark.parametrize("send", ["multipart", "json"])
def test_pixels_arrive_bit_by_bit_and_nothing_else_does(send: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENDOR_KEY", "secret-1")
    with serving(in_turn(FINE)) as box:
        made = asked(box, send=send, also={"model": "v2"}, credentials="VENDOR_KEY", prefix="Bearer")
    np.testing.assert_array_equal(made, np.array([1, 2, 3], np.float32))
    (request,) = box.requests
    assert request.path == "/v1/embed"
    np.testing.assert_array_equal(request.image, IMAGE)
    assert request.others == {"model": "v2"}
    assert request.file_name in {"image.png", None}
    assert request.headers["Authorization"] == "Bearer secret-1"
    assert set(request.headers) <= {
        "Host", "User-Agent", "Accept-Encoding", "Accept", "Connection", "Content-Length", "Content-Type",
        "Authorization",
    }  # fmt: skip


def test_a_netrc_adds_no_credentials(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving(in_turn(FINE)) as box:
        asked(box)
    assert "Authorization" not in box.requests[0].headers


def test_credentials_come_from_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VENDOR_KEY", raising=False)
    with pytest.raises(ModelError, match="environment variable VENDOR_KEY: holds no credentials"):
        Client(declared(credentials="VENDOR_KEY"), "7")
    monkeypatch.setenv("VENDOR_KEY", "two\nlines")
    with pytest.raises(ModelError, match="holds no credentials"):
        Client(declared(credentials="VENDOR_KEY"), "7")
    monkeypatch.setenv("VENDOR_KEY", "secret-2")
    assert "secret-2" not in str(declared(credentials="VENDOR_KEY"))


def test_busy_is_asked_again_after_the_pause_that_it_wants() -> None:
    with serving(in_turn(Answer("", 429, {"Retry-After": "1"}), Answer("", 500), FINE)) as box:
        asked(box)
    first, second, third = (request.at for request in box.requests)
    assert second - first >= 1
    assert third - second < 1


def test_who_wants_to_be_left_alone_for_long_ends_the_run() -> None:
    with (
        serving(in_turn(Answer("", 429, {"Retry-After": "3600"}))) as box,
        pytest.raises(ModelError, match=r"asks to be left alone for 3,600 s. Run the same command again after that"),
    ):
        asked(box)


def test_what_stays_busy_is_a_counted_failure_and_then_ends_the_run() -> None:
    with serving(in_turn(Answer("", 503))) as box:
        client = Client(declared(box, tries=2), "7")
        for _ in range(4):
            with pytest.raises(NoTemplateError, match="the service did not answer"):
                client.ask(encoded(IMAGE, client.service))
        assert len(box.requests) == 8
        with pytest.raises(ModelError, match=r"did not answer for 5 images in a row, 2 tries each \(503\)"):
            client.ask(encoded(IMAGE, client.service))


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_credentials_stop_at_once(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENDOR_KEY", "secret-3")
    with serving(in_turn(Answer("", status))) as box, pytest.raises(ModelError) as stopped:
        asked(box, credentials="VENDOR_KEY")
    assert f"{box.host}: refuses the credentials ({status}). Set VENDOR_KEY anew" in str(stopped.value)
    assert "secret-3" not in str(stopped.value)
    assert len(box.requests) == 1


def test_a_wrong_address_stops_at_once() -> None:
    with serving(in_turn(Answer("", 404))) as box, pytest.raises(ModelError, match="has nothing at the card's url"):
        asked(box)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_a_host_that_the_card_does_not_name_is_not_followed(status: int) -> None:
    with serving(in_turn(FINE)) as other:
        there = {"Location": f"http://{other.host}/v1/embed"}
        said = f"redirects \\({status}\\) to {other.host}, which the card does not name; no image went there"
        with serving(in_turn(Answer("", status, there))) as box, pytest.raises(ModelError, match=said):
            asked(box)
    assert other.requests == []


def test_a_redirect_that_the_card_names_is_followed_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENDOR_KEY", "secret-4")
    with serving(in_turn(FINE)) as other:
        there = {"Location": f"http://{other.host}/v2"}
        with serving(in_turn(Answer("", 307, there))) as box:
            asked(box, redirect_hosts=[other.host], credentials="VENDOR_KEY")
    (request,) = other.requests
    assert request.path == "/v2"
    assert "Authorization" not in request.headers
    np.testing.assert_array_equal(request.image, IMAGE)


def test_redirects_in_a_circle_end() -> None:
    there = {"Location": "/again"}
    with serving(in_turn(Answer("", 307, there))) as box, pytest.raises(ModelError, match="redirects in a circle"):
        asked(box)
    assert len(box.requests) == 4


def test_another_version_stops_at_once() -> None:
    with serving(
        in_turn(Answer(FINE.body, headers={"X-Model": "7"}), Answer(FINE.body, headers={"X-Model": "8"}))
    ) as b:
        asked(b, version_header="X-Model")
        with pytest.raises(ModelError, match="says X-Model: '8', and the card says revision '7'"):
            asked(b, version_header="X-Model")


NESTED = b"[" * 1990
LONG = "9" * 400


@pytest.mark.parametrize(
    ("answer", "stage", "reason"),
    [
        (Answer(b"<html>sorry</html>"), "template", "the service's answer could not be read"),
        (Answer(NESTED), "template", "the service's answer could not be read"),
        (Answer(b"\xff\xfe"), "template", "the service's answer could not be read"),
        (Answer([1, 2, 3]), "template", "the service's answer holds no template of the card's dimension"),
        (Answer({"result": {"embedding": [1, 2]}}), "template", "the service's answer holds no template of"),
        (Answer({"result": {"embedding": [1, "2", 3]}}), "template", "the service's answer holds no template of"),
        (Answer({"result": {"embedding": [True, 2, 3]}}), "template", "the service's answer holds no template of"),
        (Answer({"result": {"embedding": [[1], 2, 3]}}), "template", "the service's answer holds no template of"),
        (Answer({"result": {"embedding": None}}), "template", "the service's answer holds no template of"),
        (Answer(b'{"result": {"embedding": [NaN, 2, 3]}}'), "template", "the service's template is not finite"),
        (Answer(b'{"result": {"embedding": [1e39, 2, 3]}}'), "template", "the service's template is not finite"),
        (Answer(f'{{"result": {{"embedding": [{LONG}, 2, 3]}}}}'.encode()), "template", "is not finite"),
        (Answer(FINE.body | {"error": {"code": "NO_FACE"}}), "detect", "the service found no face"),
        (Answer({"error": {"code": "NO_FACE"}}, 422), "detect", "the service found no face"),
        (Answer({"error": {"code": "img_0042.jpg is Jane Doe"}}), "template", "the service reported a failure"),
        (Answer({"error": {"code": "x"}}, 400), "template", "the service reported a failure"),
        (Answer({"message": "Jane Doe"}, 400), "template", "the service refused the image (400)"),
        (Answer(b"what?", 413), "template", "the service refused the image (413)"),
        (Answer(b" " * 3000), "template", "the service's answer is too large"),
        (Answer(b'{"result"', length=4000), "template", "the service did not answer"),
        (Answer(FINE.body, slow_s=0.6), "template", "the service did not answer"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_an_answer_that_is_no_template_is_a_counted_failure(answer: Answer, stage: str, reason: str) -> None:
    with serving(in_turn(answer)) as box:
        found = failure(box, failure="error.code", no_face=["NO_FACE"], largest_answer=2000, tries=2, timeout_s=0.4)
    assert found.stage == stage
    assert reason in found.reason
    assert "Jane" not in found.reason


def test_a_vanished_service_is_a_counted_failure() -> None:
    with serving(in_turn(FINE)) as box:
        pass
    assert failure(box, tries=2).reason == "the service did not answer"


def test_requests_keep_their_pace_and_their_number() -> None:
    together, most = itertools.count(), []
    running = set()

    def slow(_: Request, index: int) -> Answer:
        running.add(index)
        most.append(len(running))
        time.sleep(0.05)
        running.discard(index)
        return FINE

    with serving(slow) as box, ThreadPoolExecutor(8) as pool:
        client = Client(declared(box, at_once=3, per_second=1000), "7")
        list(pool.map(lambda _: client.ask(encoded(IMAGE, client.service)), range(9)))
        assert max(most) <= 3
        assert next(together) == 0
        client = Client(declared(box, at_once=8, per_second=20), "7")
        list(pool.map(lambda _: client.ask(encoded(IMAGE, client.service)), range(6)))
    times = [request.at for request in box.requests[9:]]
    assert max(times) - min(times) >= 0.2


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"url": "http://vendor.example/x"}, "images travel over https:// alone"),
        ({"url": "ftp://vendor.example/x"}, "images travel over https:// alone"),
        ({"url": "https://me:word@vendor.example/x"}, "without a user and a password"),
        ({"url": "https://vendor.exämple/x"}, "not of the form"),
        ({"url": "https:///x"}, "not of the form"),
        ({"template": "result['x']"}, "String should match pattern"),
        ({"template": "__import__('os')"}, "String should match pattern"),
        ({"redirect_hosts": ["https://a.example"]}, "is no host"),
        ({"prefix": "a\nb"}, "a header is one line"),
        ({"also": {"image": "x"}}, "are the images' fields, and two"),
        ({"credentials": "not a name"}, "String should match pattern"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_declaration_that_cannot_be_kept_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Service.model_validate({"url": "https://vendor.example/embed", "template": "embedding", **values})


def test_hosts_are_those_of_the_address_and_of_the_card() -> None:
    made = Service(url="https://vendor.example:8443/x?y=1", template="a", redirect_hosts=("eu.vendor.example",))
    assert (made.host, made.hosts) == ("vendor.example:8443", ("vendor.example:8443", "eu.vendor.example"))
    assert not made.local
    assert Service(url="http://localhost:80/x", template="a").local
    assert not Service(url="http://127.0.0.1/x", template="a", redirect_hosts=("vendor.example",)).local


def test_paths_find_what_stands_there_and_nothing_else() -> None:
    answer = {"a": [{"b": [[1], [2]]}], "c-d": 3}
    found: Iterator[Any] = (looked_up(answer, path) for path in ("a[0].b[1]", "c-d", "a[1]", "a.b", "c-d.e", "x"))
    assert list(found) == [[2], 3, None, None, None, None]
