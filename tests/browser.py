"""Browsers for tests: a plain HTTP client that follows redirects, and a headless Chromium that clicks.

Chromium is driven over its own debugging protocol, so that no driver has to be installed.
"""

import itertools
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NO_CHROMIUM = "Chromium is not installed: `apt-get install chromium`"


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def visit(url: str, **parameters: Any) -> httpx.Response:
    """Open an address as a browser does, redirects included."""
    return httpx.get(url, follow_redirects=True, timeout=30, trust_env=False, **parameters)


@contextmanager
def in_background() -> Iterator[Callable[..., Future[Any]]]:
    """Run something beside the test, which waits for it at the end."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        yield pool.submit


class Chromium:
    """One page of a headless Chromium."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = itertools.count(1)

    def open(self, url: str) -> None:
        """Go to an address."""
        self._call("Page.enable")
        self._call("Page.navigate", url=url)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        return self._call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def settle(self, expression: str) -> Any:
        """The value that the promise of a JavaScript expression comes to."""
        found = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def look_like(self, *, width: int, scheme: str) -> None:
        """Be a screen of that width whose reader wants that colour scheme, `light` or `dark`."""
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def text(self) -> str:
        """What the page says."""
        return str(self.evaluate("document.body ? document.body.innerText : ''"))

    def wait_for(self, text: str, *, seconds: float = 30) -> None:
        """Wait until the page says something."""
        deadline = time.monotonic() + seconds
        while text not in self.text():
            assert time.monotonic() < deadline, f"the page never said {text!r}, but {self.text()!r}"
            time.sleep(0.05)

    def click_link(self, text: str) -> None:
        """Click with the mouse on the link of that text."""
        box = self.evaluate(
            f"(() => {{ const found = [...document.links].find(link => link.innerText === {json.dumps(text)});"
            " found.scrollIntoView({ block: 'center' });"  # a mouse reaches only what is on the screen
            " const box = found.getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._ids)
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._connection.recv(timeout=30))
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                found: dict[str, Any] = answer["result"]
                return found


@contextmanager
def start_chromium(profile: Path) -> Iterator[Chromium]:
    """A headless Chromium with a profile of its own."""
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--no-proxy-server"]
    command += [
        "--disable-background-networking",
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        "about:blank",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port = _debugging_port(profile / "DevToolsActivePort", process)
        pages = [one for one in visit(f"http://127.0.0.1:{port}/json").json() if one["type"] == "page"]
        with connect(pages[0]["webSocketDebuggerUrl"], proxy=None, max_size=None) as connection:
            yield Chromium(connection)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _debugging_port(file: Path, process: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + 60
    while not (file.exists() and file.read_text().count("\n")):
        assert process.poll() is None, "Chromium ended before it was ready"
        assert time.monotonic() < deadline, "Chromium was not ready in time"
        time.sleep(0.05)
    return int(file.read_text().splitlines()[0])
