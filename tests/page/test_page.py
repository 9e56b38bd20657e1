"""The files of the page: the runtime is checked, graphs share weights, all is written whole."""

import contextlib
import gzip
import hashlib
import http.server
import io
import json
import re
import tarfile
import threading

import numpy as np
import pytest
import torch

import dreamkit as dk
from dreamkit.cli.app import call
from dreamkit.page import runtime as ort
from dreamkit.page.graphs import FIRST, step_graphs
from dreamkit.page.making import build, page_files
from dreamkit.page.single import single_file

FAKE = {ort.SCRIPT: b"const a = 1; const b = import.meta.url; export{a as one,b as default};",
        ort.WASM: b"wasm", ort.GPU_SCRIPT: b"export{}", ort.GPU_WASM: b"other wasm"}  # fmt: skip


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A folder with a runtime of the right form, which the pinned hashes name."""
    folder = tmp_path / "dist"
    folder.mkdir()
    for name, data in FAKE.items():
        (folder / name).write_bytes(data)
    hashes = {name: hashlib.sha512(data).hexdigest() for name, data in FAKE.items()}
    monkeypatch.setattr(ort, "FILES", hashes)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for name in ("NPM_CONFIG_REGISTRY", "npm_config_registry"):
        monkeypatch.delenv(name, raising=False)
    return folder


@contextlib.contextmanager
def registry(answers):
    """An npm registry on this machine with these answers {path: bytes}; yields its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            data = answers.get(self.path)
            self.send_response(404 if data is None else 200)
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def package():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as packed:
        for name, data in FAKE.items():
            info = tarfile.TarInfo(f"package/dist/{name}")
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))
    return file.getvalue()


# ---- the runtime


def test_the_runtime_is_fetched_once_from_the_users_registry(fake, monkeypatch):
    path = f"/npm/onnxruntime-web/-/onnxruntime-web-{ort.VERSION}.tgz"
    with registry({path: package()}) as address:
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"{address}/npm/")
        assert ort.runtime() == FAKE
    assert ort.runtime() == FAKE  # the registry is gone: it comes from the cache


def test_a_damaged_cache_is_fetched_again(fake, monkeypatch):
    path = f"/onnxruntime-web/-/onnxruntime-web-{ort.VERSION}.tgz"
    with registry({path: package()}) as address:
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", address)
        ort.runtime()
        (kept,) = (fake.parent / "torch" / "dreamkit").glob(f"*/{ort.WASM}")
        kept.write_bytes(b"damaged")
        assert ort.runtime() == FAKE and kept.read_bytes() == b"wasm"


def test_without_a_registry_it_comes_from_the_mirror(fake, monkeypatch):
    with registry({f"/{name}": data for name, data in FAKE.items()}) as address:
        monkeypatch.setattr(ort, "_MIRROR", f"{address}/{{name}}")
        assert ort.runtime() == FAKE


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "file:///etc", "ftp://x"])
def test_what_cannot_be_fetched_is_one_line_that_says_what_to_do(fake, monkeypatch, address):
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", address)
    with pytest.raises(ValueError, match=r"could not be fetched \(.*give the folder `dist`"):
        ort.runtime()
    assert not (fake.parent / "torch").exists()


def test_other_files_are_refused(fake, monkeypatch):
    (fake / ort.WASM).write_bytes(b"other")
    with pytest.raises(ValueError, match=f"{ort.WASM} is not that of onnxruntime-web"):
        ort.runtime(fake)
    with pytest.raises(ValueError, match="cannot be read"):
        ort.runtime(fake / "nowhere")


# ---- the graphs


def run(graphs, name, folder, picture):
    """(score, gradient) of a graph with its weights, by onnxruntime."""
    import onnxruntime

    (folder / "step.onnx").write_bytes(graphs.graphs[name])
    for file, data in graphs.weights.items():
        (folder / file).write_bytes(data)
    session = onnxruntime.InferenceSession(folder / "step.onnx")
    return session.run(None, {"picture": picture.numpy()})


@pytest.fixture
def wide():
    """Two layers with weights large enough to be shared."""
    generator = torch.Generator().manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 12, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(12, 8, 3, padding=1)
    )
    with torch.no_grad():
        for tensor in module.parameters():
            tensor.copy_(0.3 * torch.randn(tensor.shape, generator=generator))
    return dk.as_network(module, (0.5,) * 3, (0.5,) * 3, "wide")


def test_graphs_share_their_weights_and_agree_with_torch(wide, tmp_path, picture):
    groups = [{"shallow": dk.layer("0")}, {"deep": dk.layer("2"), "again": dk.channel("2", 3)}]
    for half, close in ((False, 1e-4), (True, 5e-3)):
        made = step_graphs(wide, groups, half)
        assert made.needs == {
            "shallow": [FIRST], "deep": [FIRST, "weights-1.bin"], "again": [FIRST, "weights-1.bin"]
        }  # fmt: skip
        size = 2 if half else 4
        padded = -(-12 * 3 * 9 * size // 16) * 16
        assert len(made.weights[FIRST]) == padded  # once, for all three
        assert len(made.weights["weights-1.bin"]) == 8 * 12 * 9 * size
        for name, objective in (groups[0] | groups[1]).items():
            score = dk.scorer(wide, objective)
            value, uphill = run(made, name, tmp_path, picture)
            assert float(value) == pytest.approx(float(score(picture)), rel=close)
            wanted = dk.gradient(score, picture).numpy()
            assert np.linalg.norm(uphill - wanted) < close * np.linalg.norm(wanted)


def test_the_smallest_picture_is_found_by_trying():
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, stride=4), torch.nn.Conv2d(4, 4, 5)
    )  # 5 cells of the second layer's input: 3 + 4 * 4 = 19 pixels, to a multiple of 8
    network = dk.as_network(module, (0,) * 3, (1,) * 3, "large kernels")
    made = step_graphs(network, [{"first": dk.layer("0"), "second": dk.layer("1")}])
    assert made.least == {"first": 8, "second": 24}


def test_some_choices_take_along_only_the_weights_that_they_need(wide):
    made = step_graphs(wide, [{"shallow": dk.layer("0")}, {"deep": dk.layer("2")}])
    only = made.only(["shallow"])
    assert list(only.graphs) == ["shallow"] and list(only.weights) == [FIRST]


# ---- the page


def test_a_page_is_written_whole(fake, tmp_path, tiny_network):
    folder = tmp_path / "site"
    written = [path.relative_to(folder).as_posix() for path in build(folder, tiny_network, fake)]
    assert written[-1] == "index.html"
    about = json.loads((folder / "page.json").read_text())
    named = {choice["graph"] for choice in about["choices"]}
    named |= {file for choice in about["choices"] for file in choice["weights"]}
    named |= {sample["file"] for sample in about["samples"]} | {about["files"]["wasm"]}
    assert named <= set(written)
    service = (folder / "service.js").read_text()
    kept, later = (
        set(json.loads(re.search(rf"{name} = (\[.*\]);", service).group(1)))
        for name in ("FILES", "LATER")
    )
    assert later == set(about["files"]["gpu"].values()) < set(written)
    assert kept == {"./", *written} - {"service.js"} - later
    assert gzip.decompress((folder / about["files"]["wasm"]).read_bytes()) == b"wasm"
    assert {spec["name"] for spec in about["settings"]} == {
        "steps", "step_size", "octaves", "octave_ratio", "jitter", "smoothing", "seed", "laplacian",
        "chroma",
    }  # fmt: skip
    assert "script-src 'self' 'wasm-unsafe-eval'" in (folder / "index.html").read_text()


def test_the_cache_has_another_name_where_a_file_is_another(
    fake, tmp_path, tiny_network, monkeypatch
):
    name = lambda folder: re.search("dreamkit-([0-9a-f]{16})", (folder / "service.js").read_text())
    for folder in ("one", "same"):
        list(build(tmp_path / folder, tiny_network, fake))
    monkeypatch.setattr("dreamkit.page.making._SAMPLES", {"coffee": "A cup"})
    list(build(tmp_path / "other", tiny_network, fake))
    one, same, other = (name(tmp_path / folder).group() for folder in ("one", "same", "other"))
    assert one == same != other


def test_one_file_holds_everything(fake, tiny_network):
    files = page_files(tiny_network, fake, small=True)
    page = single_file(files).decode()
    held = json.loads(re.search('id="embedded">(.*)</script>', page).group(1))
    assert {"page.json", "worker.js", f"{ort.WASM}.gz"} <= set(held)
    assert "src=" not in re.sub(r'id="embedded">.*</script>', "", page).split("<script>")[0]
    script = page.split("<script>")[1]
    assert not re.search(r"^(import|export) ", script, re.M)
    assert "connect-src" not in page and "default-src 'none'" in page
    import base64

    worker = base64.b64decode(held["worker.js"]).decode()
    assert "return { one: a, default: b };" in worker and "import.meta" not in worker
    assert not re.search(r"^(import|export) ", worker, re.M)


@pytest.mark.slow
def test_the_command_writes_a_page_or_one_file(fake, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    few = lambda network: build_choices(network)[:1]
    from dreamkit.page.making import choices as build_choices

    monkeypatch.setattr("dreamkit.page.making.choices", few)
    words = ["--network", "dreamnet", "--runtime", str(fake)]
    assert call(["page", "site", *words]) == 0
    assert re.fullmatch(
        r"site: \d+ files, [\d.]+ MB; python -m http.server -d site\n", capsys.readouterr().out
    )
    assert call(["page", "one.html", "--single-file", *words]) == 0
    assert re.fullmatch(r"one\.html: [\d.]+ MB in one file\n", capsys.readouterr().out)
    (tmp_path / "file").write_text("mine")
    for wrong, message in (
        (["page", "site2", *words, "--precision", "int8"], "--precision is float16 or float32"),
        (["page", "file", *words], "file"),
        (["page", "site2", *words[:2], "--runtime", "nowhere"], "cannot be read"),
        (["page", "no/such/one.html", "--single-file", *words], "no"),
    ):
        assert call(wrong) == 2
        err = capsys.readouterr().err
        assert message in err and err.count("\n") == 1
    assert (tmp_path / "file").read_text() == "mine" and not (tmp_path / "site2").exists()
