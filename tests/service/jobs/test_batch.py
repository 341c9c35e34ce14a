"""Batches through a real server: a line a part, streamed or as a job."""

from __future__ import annotations

import io
import json
import stat
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.waiting import until

URL = "/v1/products/cookie/batch"
ZIP = {"Content-Type": "application/zip"}
ASYNC = ZIP | {"Prefer": "respond-async"}


def zipped(files: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)  # its fixed date: the same files, the same bytes
            archive.writestr(entry, content, compress_type=zipfile.ZIP_DEFLATED)
    return file.getvalue()


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.fixture
def folder(part: dict[str, bytes], bad_part: dict[str, bytes]) -> dict[str, bytes]:
    """Five pairs side by side in one folder: good, defective, damaged, good; and a picture alone."""
    pairs = {"1": part, "2": bad_part, "3": part | {"xyz": b"no cloud"}, "10": part}
    files = {f"line/{name}.png": pair["rgb"] for name, pair in pairs.items()}
    files |= {f"line/{name}.tiff": pair["xyz"] for name, pair in pairs.items()}
    return files | {"line/11.png": part["rgb"], "__MACOSX/line/._1.png": b"x"}


def test_a_line_a_part_in_order_and_a_bad_one_harms_none(
    client: httpx.Client, folder: dict[str, bytes]
) -> None:
    answer = client.post(URL, content=zipped(folder), headers=ZIP)
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    told = lines(answer)
    assert [line["part_id"] for line in told] == ["1", "2", "3", "10", "11"]
    assert [line.get("decision") for line in told] == ["good", "defective", None, "good", None]
    assert (told[2]["status"], told[2]["code"], told[2]["part"]) == (415, "unsupported_type", "xyz")
    assert (told[4]["status"], told[4]["code"]) == (422, "part_left_out")
    assert told[2]["request_id"] == answer.headers["x-request-id"]


def test_the_log_says_which_part_of_a_batch_was_refused(server: Any, folder: dict[str, bytes]) -> None:
    with server.client() as client:
        client.post(URL, content=zipped(folder), headers=ZIP | {"X-Request-ID": "of-one-batch"})
    told = [line for line in server.log if line.get("origin") == "of-one-batch"]
    assert {line["part_id"]: line.get("code") for line in told} == {
        "1": None, "2": None, "3": "unsupported_type", "10": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("accept", "prefer", "status"),
    [
        ("application/json", "", 406),
        ("text/csv", "", 406),
        ("application/x-ndjson", "", 200),
        ("text/csv, */*;q=0.1", "", 200),
        ("application/x-ndjson", "respond-async", 406),
        ("application/json", "respond-async", 202),
    ],
)
def test_an_accept_header_is_met_or_refused(
    client: httpx.Client, folder: dict[str, bytes], accept: str, prefer: str, status: int
) -> None:
    headers = ZIP | {"Accept": accept, "Prefer": prefer}
    assert client.post(URL, content=zipped(folder), headers=headers).status_code == status


def test_many_pairs_in_one_form_are_the_batch_of_their_zip(
    client: httpx.Client, folder: dict[str, bytes]
) -> None:
    files = [("file", (name.removeprefix("line/"), content)) for name, content in folder.items()]
    kept = ("part_id", "decision", "score", "status", "code", "part")

    def told(answer: httpx.Response) -> list[list[Any]]:
        return [[line.get(name) for name in kept] for line in lines(answer)]

    of_the_zip = told(client.post(URL, content=zipped(folder), headers=ZIP))
    assert told(client.post(URL, files=files[:-1])) == of_the_zip
    *parts, left_out = told(client.post(URL, files=[("file", ("parts", b"x")), *files[:-2]]))
    assert (parts, left_out[-2]) == (of_the_zip[:4], "part_left_out"), "a file may have any name"


def test_the_mvtec_layout_in_a_form_with_a_threshold(client: httpx.Client, part: dict[str, bytes]) -> None:
    files = {
        f"{place}/{kind}/000.{suffix}": part[kind]
        for place in ("train/good", "test/hole")
        for kind, suffix in (("rgb", "png"), ("xyz", "tiff"))
    }
    answer = client.post(URL, files={"parts": zipped(files)}, params={"threshold": 0.1})
    told = lines(answer)
    assert [line["part_id"] for line in told] == ["train/good/000", "test/hole/000"]
    assert {(line["decision"], line["threshold_source"]) for line in told} == {("defective", "request")}


def test_a_damaged_entry_and_one_above_its_limit_are_lines(
    client: httpx.Client, part: dict[str, bytes]
) -> None:
    files = {
        f"{name}.{kind}": part[field] for name in "12" for kind, field in (("png", "rgb"), ("tiff", "xyz"))
    }
    body = bytearray(zipped(files | {"3.png": bytes(1_000_001), "3.tiff": part["xyz"]}))
    start = body.index(b"1.png") + 60
    body[start : start + 8] = bytes(8)
    told = lines(client.post(URL, content=bytes(body), headers=ZIP))
    assert [line.get("code") for line in told] == ["unreadable", None, "field_too_large"]


@pytest.mark.parametrize(
    "name",
    [
        "../1.png", "/1.png", "a/../../1.png", "a//1.png", "..\\1.png", "C:1.png", "a\n.png", "x" * 300,
        "inner.zip", "1.PNG",
    ],
)  # fmt: skip
def test_names_that_no_folder_of_parts_has(client: httpx.Client, folder: dict[str, bytes], name: str) -> None:
    files = {"1.png": b"x", "1.tiff": b"x", name: b"x"}
    answer = client.post(URL, content=zipped(files), headers=ZIP)
    assert (answer.status_code, answer.json()["code"]) == (422, "unsafe_archive")


def test_links_and_encrypted_entries(client: httpx.Client) -> None:
    link = zipfile.ZipInfo("1.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    encrypted = bytearray(zipped({"1.png": b"x"}))
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    for body, word in ((file.getvalue(), "link"), (bytes(encrypted), "encrypted")):
        answer = client.post(URL, content=body, headers=ZIP)
        assert (answer.status_code, answer.json()["code"]) == (422, "unsafe_archive")
        assert word in answer.json()["detail"]


def test_bodies_that_are_no_batch(client: httpx.Client, part: dict[str, bytes]) -> None:
    cases: list[tuple[Any, int, str]] = [
        ({"content": b"PK no zip", "headers": ZIP}, 422, "unreadable"),
        ({"content": zipped({"readme.txt": b"x"}), "headers": ZIP}, 422, "no_parts"),
        ({"content": b"", "headers": ZIP}, 400, "no_body"),
        ({"content": b"{}", "headers": {"Content-Type": "application/json"}}, 415, "unsupported_body"),
        ({"files": part}, 400, "unknown_field"),
        ({"files": [("parts", b"x"), ("parts", b"x")]}, 400, "repeated_field"),
        ({"files": [("file", ("1.png", b"x")), ("parts", b"x")]}, 400, "repeated_field"),
        ({"files": [("parts", b"x"), ("file", ("1.png", b"x"))]}, 400, "repeated_field"),
        ({"files": 2 * [("file", ("1.png", b"x"))]}, 400, "repeated_field"),
        ({"files": [("file", ("", b"x"))]}, 400, "unnamed_file"),
        ({"files": [("file", ("../1.png", b"x"))]}, 422, "unsafe_archive"),
        ({"files": [("file", ("1.png", b"x")), ("file", ("1.PNG", b"x"))]}, 422, "unsafe_archive"),
        ({"files": {"parts": b""}}, 422, "missing_field"),
    ]
    for request, status, code in cases:
        answer = client.post(URL, **request)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_bombs_are_refused_for_what_they_would_become(
    serve: Any, strict_settings: Any, loader: Any, part: dict[str, bytes]
) -> None:
    limits = {"max_batch_entries": 4, "max_batch_decoded_bytes": 500_000, "max_batch_bytes": 200_000}
    with serve(strict_settings.model_copy(update=limits), loader) as running, running.client() as client:
        bodies = {
            "too_many_entries": zipped({f"{number}.png": b"x" for number in range(5)}),
            "too_many_bytes_decoded": zipped({"1.npz": bytes(500_001)}),
            "body_too_large": bytes(200_001),
        }
        for code, body in bodies.items():
            answer = client.post(URL, content=body, headers=ZIP)
            assert (answer.status_code, answer.json()["code"]) == (413, code)


def test_a_batch_as_a_job(client: httpx.Client, folder: dict[str, bytes]) -> None:
    key = {"Idempotency-Key": "monday-1"}
    answer = client.post(URL, content=zipped(folder), headers=ASYNC | key)
    assert answer.status_code == 202
    place = answer.headers["location"]
    last = json.loads(client.get(f"{place}/events").text.splitlines()[-1])
    assert (last["state"], last["kind"], last["result"]) == ("done", "batch", {"lines": 5})
    told = lines(client.get(f"{place}/results"))
    assert [line["part_id"] for line in told] == ["1", "2", "3", "10", "11"]
    job = place.rpartition("/")[2]
    kept = client.get("/v1/results", params={"job_id": job}).json()["results"]
    assert {one["result_id"] for one in kept} == {line["result_id"] for line in told if "result_id" in line}
    assert {one["job_id"] for one in kept} == {job}
    again = client.post(URL, content=zipped(folder), headers=ASYNC | key)
    assert (again.status_code, again.headers["location"]) == (202, place)
    other = client.post(URL, content=zipped(folder), headers=ASYNC | key, params={"threshold": 1})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert client.post(URL, content=b"PK", headers=ASYNC).status_code == 422


def test_a_product_that_is_not_there(client: httpx.Client) -> None:
    assert client.post("/v1/products/tile/batch", content=b"PK", headers=ZIP).status_code == 404


def test_a_job_goes_on_after_a_restart_with_the_lines_it_has(
    serve: Any, strict_settings: Any, loader: Any, detector: Any, part: dict[str, bytes], tmp_path: Path
) -> None:
    files = {f"{name}.png": part["rgb"] for name in range(8)} | {
        f"{name}.tiff": part["xyz"] for name in range(8)
    }
    detector.before = lambda: time.sleep(0.2)
    with serve(strict_settings, loader, state=tmp_path) as running, running.client() as client:
        place = client.post(URL, content=zipped(files), headers=ASYNC).headers["location"]
        until(lambda: client.get(f"{place}/results").text, "the first line")
    detector.before = lambda: None
    with serve(strict_settings, loader, state=tmp_path) as running, running.client() as client:
        last = json.loads(client.get(f"{place}/events").text.splitlines()[-1])
        assert (last["state"], last["result"]) == ("done", {"lines": 8})
        told = lines(client.get(f"{place}/results"))
        kept = client.get("/v1/results", params={"job_id": place.rpartition("/")[2]}).json()["results"]
    assert [(line["part_id"], line.get("decision")) for line in told] == [(str(n), "good") for n in range(8)]
    assert sorted(one["result_id"] for one in kept) == sorted(line["result_id"] for line in told)


def test_a_job_outlives_the_thread_that_scores_and_a_bank_that_failed(
    serve: Any, strict_settings: Any, loader: Any, detector: Any, part: dict[str, bytes], tmp_path: Path
) -> None:
    files = {f"{name}.png": part["rgb"] for name in range(4)} | {
        f"{name}.tiff": part["xyz"] for name in range(4)
    }
    calls: list[int] = []

    def die_at_the_third() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise SystemExit

    detector.before = die_at_the_third
    with serve(strict_settings, loader, state=tmp_path) as running, running.client() as client:
        place = client.post(URL, content=zipped(files), headers=ASYNC).headers["location"]
        # The dead thread is told to the job's next part, or the server that ends stops the job before.
        until(lambda: any(line.get("state") == "queued" for line in running.log), "the job put back")
    settings = strict_settings.model_copy(update={"poll_s": 0.05})
    load, loader.load = loader.load, lambda *_: 1 / 0
    with serve(settings, loader, state=tmp_path, wait=False) as running, running.client() as client:
        until(
            lambda: any(line["event"] == "bank_not_served" for line in running.log),
            "the bank that failed",
        )
        assert len(lines(client.get(f"{place}/results"))) in (1, 2)
        loader.load = load
        loader.add(type(detector)(version="v2"))  # its files changed: the bank is tried again
        last = json.loads(client.get(f"{place}/events").text.splitlines()[-1])
        assert (last["state"], last["result"]) == ("done", {"lines": 4})
        told = lines(client.get(f"{place}/results"))
    assert [(line["part_id"], line.get("decision")) for line in told] == [(str(n), "good") for n in range(4)]
