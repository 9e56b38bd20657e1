"""The page in Chromium: its verbs and its gradient against dreamkit's, and a dream by clicking."""

import http.server
import os
import re
import shutil
import subprocess
import tarfile
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

import dreamkit as dk
from dreamkit.page import making as building
from dreamkit.page.making import build, page_files
from dreamkit.page.single import single_file

from ..browser import CHROMIUM

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("DREAMKIT_SHOTS")  # a folder for pictures of the page, for people


@pytest.fixture(scope="module")
def runtime(tmp_path_factory):
    """The folder `dist` of onnxruntime-web, brought by npm."""
    from dreamkit.page.runtime import VERSION

    pytest.importorskip("playwright.sync_api", reason="the playwright package is not installed")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}; on Debian: apt-get install chromium")
    if not shutil.which("npm"):
        pytest.skip("no npm, which brings onnxruntime-web to this test")
    folder = tmp_path_factory.mktemp("npm")
    subprocess.run(
        ["npm", "pack", "--silent", f"onnxruntime-web@{VERSION}"],
        cwd=folder, check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    (package,) = folder.glob("*.tgz")
    with tarfile.open(package) as packed:
        packed.extractall(folder, filter="data")
    return folder / "package" / "dist"


@pytest.fixture(scope="module")
def made(runtime, tmp_path_factory):
    """{precision: the folder of a page with two choices}, and the page as one file."""
    network, folder = dk.load_network(), tmp_path_factory.mktemp("pages")
    two = [each for each in building.choices(network) if each.name in ("animals", "patchwork")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "choices", lambda network: two)
        for name, half in (("float16", True), ("float32", False)):
            list(build(folder / name, network, runtime, half))
        (folder / "one.html").write_bytes(single_file(page_files(network, runtime, small=True)))
    return folder


class Server(http.server.ThreadingHTTPServer):
    """Serves the folder at its address, and counts nothing else."""

    def __init__(self, folder):
        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *given):
                super().__init__(*given, directory=folder)

            def log_message(self, *given):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.shutdown()
        self.server_close()
        self.thread.join()


@pytest.fixture(scope="module")
def playwright(runtime):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        yield play


@pytest.fixture(scope="module")
def browser(playwright):
    opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    yield opened
    opened.close()


@pytest.fixture
def page_with_gpu(playwright, made):
    """(page, the page's address), in a browser with WebGPU, if only by a program."""
    program = ["--use-webgpu-adapter=swiftshader", "--use-vulkan=swiftshader"]
    flags = ["--no-sandbox", "--enable-unsafe-webgpu", "--enable-features=Vulkan", *program]
    opened = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
    server = Server(made / "float16")
    # a service worker would answer in place of what the test changes
    page = opened.new_context(service_workers="block").new_page()
    page.goto(server.address)
    there = "async () => Boolean(navigator.gpu && await navigator.gpu.requestAdapter())"
    if not page.evaluate(there):
        pytest.skip("this Chromium has no WebGPU")
    yield page, server.address
    opened.close()
    server.close()


@pytest.fixture
def opened(browser, made, request):
    """A page served from its folder: (page, server, requests, what went wrong)."""
    server = Server(made / getattr(request, "param", "float16"))
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page, asked, wrong = context.new_page(), [], []
    page.on("request", lambda one: asked.append(one.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(server.address)
    says(page, "Press Dream")
    yield page, server, asked, wrong
    context.close()
    if server.thread.is_alive():
        server.close()


def says(page, text, seconds=60):
    from playwright.sync_api import expect

    expect(page.locator("#status")).to_contain_text(re.compile(text), timeout=1000 * seconds)


def shot(page, name):
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/page-{name}.png", full_page=True)


def small_dream(page):
    """Settings for a dream of a few seconds."""
    page.click("summary")
    for name, value in {"side": 128, "set-steps": 2, "set-octaves": 2}.items():
        page.locator(f"#{name}").fill(str(value))


IMAGE = "({ data, height, width }) => ({ data: new Float32Array(data), height, width })"


def in_page(page, code, picture, *given):
    """What the module dreaming.js makes of a picture [1, 3, H, W], as an array [1, 3, H, W]."""
    image = {
        "data": picture.flatten().tolist(),
        "height": picture.shape[2],
        "width": picture.shape[3],
    }
    found = page.evaluate(
        f"""async ([image, given]) => {{
          const dreams = await import("./dreaming.js"), made = ({IMAGE})(image);
          const found = ({code})(dreams, made, ...given);
          return [found.height, found.width, Array.from(found.data)];
        }}""",
        [image, list(given)],
    )
    height, width, data = found
    return torch.tensor(data).view(1, 3, height, width)


@pytest.mark.parametrize("opened", ["float32"], indirect=True)
def test_the_verbs_and_the_gradient_are_those_of_dreamkit(opened):
    page = opened[0]
    picture = dk.sample("coffee", 64)[..., :41, :]
    for code, given, wanted in (
        ("(d, p, y, x) => d.roll(p, y, x)", (-5, 9), dk.roll(picture, (-5, 9))),
        ("(d, p, s) => d.smooth(p, s)", (1.3,), dk.smooth(picture, 1.3)),
        ("(d, p, n) => d.smoothLaplacian(p, n)", (3,), dk.smooth_laplacian(picture, 3)),
        ("(d, p, s) => d.scaleChroma(p, s)", (0.2,), dk.scale_chroma(picture, 0.2)),
        ("(d, p) => d.normalize(p)", (), dk.normalize(picture)),
        ("(d, p, h, w) => d.resize(p, h, w)", (17, 40), dk.resize(picture, (17, 40))),
        ("(d, p, h, w) => d.resize(p, h, w)", (60, 91), dk.resize(picture, (60, 91))),
    ):
        torch.testing.assert_close(
            in_page(page, code, picture, *given), wanted, rtol=1e-4, atol=2e-5
        )

    photo = dk.sample("flower", 128)
    score = dk.scorer(dk.load_network(), dk.styles()["animals"].objective)
    wanted = dk.gradient(score, photo).numpy()
    code = """async ([data, height, width]) => {
      const ort = await import("./ort.wasm.bundle.min.mjs");
      const unpacked = async (path) => new Response((await fetch(path)).body.pipeThrough(
        new DecompressionStream("gzip"))).arrayBuffer();
      ort.env.wasm.numThreads = 1;
      ort.env.wasm.wasmBinary = await unpacked("ort-wasm-simd-threaded.wasm.gz");
      const weights = new Uint8Array(await unpacked("weights-0.bin.gz"));
      const model = new Uint8Array(await (await fetch("graphs/animals.onnx")).arrayBuffer());
      const session = await ort.InferenceSession.create(model,
        { externalData: [{ path: "weights-0.bin", data: weights }] });
      const picture = new ort.Tensor("float32", new Float32Array(data), [1, 3, height, width]);
      return Array.from((await session.run({ picture })).gradient.data);
    }"""
    found = page.evaluate(code, [photo.flatten().tolist(), *photo.shape[2:]])
    found = np.array(found).reshape(wanted.shape)
    assert np.linalg.norm(found - wanted) < 0.02 * np.linalg.norm(wanted)


def test_one_step_of_three_octaves_is_that_of_the_loop_without_torch(opened):
    """The score is the same simple formula on both sides, so that nothing but the loop differs."""
    page = opened[0]
    picture = dk.sample("coffee", 64)[..., :41, :]

    def step(image):
        return 0.0, image - image.mean()

    from dreamkit.onnx.alone import dreaming

    *_, wanted = dreaming(step, picture.numpy(), steps=1, octaves=3, jitter=0, sigma=0.7)
    found = page.evaluate(
        f"""async (image) => {{
          const {{ dreaming }} = await import("./dreaming.js");
          const step = async (p) => {{
            let mean = 0;
            for (const value of p.data) mean += value / p.data.length;
            return {{ ...p, data: p.data.map((value) => value - mean) }};
          }};
          const settings = {{ steps: 1, octaves: 3, octave_ratio: 1.4, jitter: 0, smoothing: 0.7,
            step_size: 0.01, laplacian: 0, chroma: 1, seed: 0 }};
          let last = null;
          for await (const made of dreaming(step, ({IMAGE})(image), settings)) last = made;
          return Array.from(last.data);
        }}""",
        {"data": picture.flatten().tolist(), "height": 41, "width": 64},
    )
    np.testing.assert_allclose(np.array(found).reshape(wanted.shape), wanted, atol=5e-3)


def test_clicking_through(opened, tmp_path):
    page, server, asked, wrong = opened
    page.get_by_role("button", name="A cat's face").click()
    says(page, "chelsea")
    page.locator("#choice").select_option(label="patchwork")
    small_dream(page)
    page.get_by_role("button", name="Dream", exact=True).click()
    says(page, "Done: 4 steps")
    assert "dreamt: patchwork" in page.locator("#canvas").get_attribute("aria-label")
    replay = page.locator("#replay")
    assert replay.get_attribute("max") == "3" and replay.input_value() == "3"
    last = page.locator("#canvas").screenshot()
    replay.focus()
    page.keyboard.press("ArrowLeft")
    assert replay.input_value() == "2" and page.locator("#canvas").screenshot() != last
    with page.expect_download() as download:
        page.get_by_role("button", name="Save").click()
    download.value.save_as(tmp_path / "dream.png")
    passport = dk.read_passport(tmp_path / "dream.png")
    assert passport["settings"]["steps"] == 2 and passport["source"]["name"] == "chelsea"
    assert passport["objective"] == {"kind": "layer", "name": "block3b.expand"}
    from dreamkit.cli.app import call

    assert call(["again", str(tmp_path / "dream.png")]) == 0
    shot(page, "narrow")
    assert not wrong and all(url.startswith((server.address, "blob:", "data:")) for url in asked)


def test_octaves_that_are_too_small_are_told_and_stop_is_obeyed_at_once(opened):
    import time

    page = opened[0]
    small_dream(page)
    page.locator("#set-steps").fill("50")
    page.locator("#set-octaves").fill("8")
    page.click("#start")
    says(page, "The smallest octave would have a side of 8 pixels, and animals needs")
    page.locator("#set-octaves").fill("4")
    page.click("#start")
    says(page, r"Step \d+ of 200")
    started = time.monotonic()
    page.click("#stop")
    says(page, "Stopped")
    assert time.monotonic() - started < 2  # of a busy machine; 0.3 s on an idle one
    time.sleep(0.5)
    assert page.locator("#status").inner_text().startswith("Stopped")
    assert page.locator("#start").is_enabled() and page.locator("#save").is_enabled()


def test_after_one_visit_it_works_offline(opened):
    page, server, _, wrong = opened
    page.evaluate("async () => { await navigator.serviceWorker.ready; }")
    for _ in range(100):  # all files are kept
        if page.evaluate("async () => (await caches.keys()).length"):
            break
    page.wait_for_timeout(1500)
    server.close()
    page.reload()
    says(page, "Press Dream")
    assert page.evaluate("() => crossOriginIsolated")  # several threads from the second visit on
    small_dream(page)
    page.click("#start")
    says(page, "Done: 4 steps")
    shot(page, "offline")
    assert not wrong


def test_the_one_file_works_from_a_disk_without_any_request(browser, made):
    page, asked, wrong = browser.new_page(), [], []
    page.on("request", lambda one: asked.append(one.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto((made / "one.html").as_uri())
    says(page, "Press Dream")
    small_dream(page)
    page.click("#start")
    says(page, "Done: 4 steps")
    shot(page, "one-file")
    page.close()
    assert not wrong and all(url.startswith(("file:", "blob:", "data:")) for url in asked)


@pytest.mark.parametrize("wish", ["?gpu", "", "?cpu"])
def test_a_graphics_processor_is_taken_where_it_gives_the_same_sooner(page_with_gpu, wish):
    """Chromium's WebGPU by program is right and slow; by one change it looks like a real one."""
    page, address = page_with_gpu

    def real(route):
        text = route.fetch().text()
        assert "adapter.info.isFallbackAdapter" in text and "TRIAL = 128" in text
        text = text.replace("adapter.info.isFallbackAdapter", "false")
        route.fulfill(
            body=text.replace("TRIAL = 128", "TRIAL = 64"), content_type="text/javascript"
        )

    page.context.route("**/sessions.js", real)
    asked = []
    page.on("request", lambda one: asked.append(one.url))
    page.goto(address + "/" + wish)
    says(page, "Press Dream")
    page.click("summary")
    for name, value in {"side": 64, "set-steps": 1, "set-octaves": 1}.items():
        page.locator(f"#{name}").fill(str(value))
    page.click("#start")
    says(page, "Done: 1 steps", 150)
    told = "on the graphics processor" in page.locator("#status").inner_text()
    fetched = any("jspi" in url for url in asked)
    assert (told, fetched) == {"?gpu": (True, True), "": (False, True), "?cpu": (False, False)}[
        wish
    ]
