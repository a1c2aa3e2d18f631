#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The HTML report as a browser shows it: pages.py MAKE_SITE DIRECTORY

A server on the loopback interface sends the pages with the content security policy that Jenkins uses for
what builds leave behind. Pictures of them stay in DIRECTORY, to be looked at. Prints TAP. Skips if
Chromium, its driver, selenium or axe-core is missing, or fails then if SYNFAULT_REQUIRE_PRIVILEGES=1."""

import base64
import html.parser
import http.server
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

DEBIAN = "/usr/bin/python3"
POLICY = "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self';"
NODE = Path(os.environ.get("SYNFAULT_NODE_CACHE", "/var/cache/synfault-test/node"))
AXE = NODE / "node_modules/axe-core/axe.min.js"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--hide-scrollbars")
WIDTHS = (400, 1400)
# Width of A4 between the margins that Chromium leaves, in pixels.
PAPER = 718
THEMES = ("light", "dark")
LONG = 100_000
SERIOUS = ("serious", "critical")

# Returns texts of pictures that overlap, or are outside.
OVERLAPS = """
const wrong = [];
for (const svg of document.querySelectorAll('svg.timeline')) {
  const sheet = svg.viewBox.baseVal;
  const texts = Array.from(svg.querySelectorAll('text')).map(t => [t.textContent, t.getBBox()]);
  texts.sort((a, b) => a[1].y - b[1].y);
  texts.forEach(([text, box], i) => {
    if (box.x < -0.5 || box.y < -0.5 || box.x + box.width > sheet.width + 0.5 ||
        box.y + box.height > sheet.height + 0.5)
      wrong.push(text + ' is outside');
    for (let k = i + 1; k < texts.length && texts[k][1].y < box.y + box.height - 1; k++) {
      const other = texts[k][1];
      if (box.x + box.width > other.x + 0.5 && other.x + other.width > box.x + 0.5)
        wrong.push(text + ' and ' + texts[k][0] + ' overlap');
    }
  });
}
return wrong.slice(0, 10);
"""


def use_debian_python():
    """selenium is a Debian package, which the python3 in PATH may not see."""
    if not importlib.util.find_spec("selenium") and os.environ.get("SYNFAULT_PYTHON") != DEBIAN \
            and os.access(DEBIAN, os.X_OK):
        os.environ["SYNFAULT_PYTHON"] = DEBIAN
        os.execv(DEBIAN, [DEBIAN, *sys.argv])


def need_tools():
    missing = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    if not importlib.util.find_spec("selenium"):
        missing.append("selenium")
    if not AXE.is_file():
        missing.append("axe-core")
    if not missing:
        return
    if os.environ.get("SYNFAULT_REQUIRE_PRIVILEGES") == "1":
        print(f"1..1\nnot ok 1 - tools are installed # missing: {', '.join(missing)}")
        sys.exit(1)
    print(f"1..0 # SKIP not installed: {', '.join(missing)}")
    sys.exit(0)


class Links(html.parser.HTMLParser):
    """The links of a page, and the targets of links in it."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.repeated = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name == "id":
                if value in self.ids:
                    self.repeated.append(value)
                self.ids.add(value)
            elif name in ("href", "src") and value:
                self.links.append(value)


class Server:
    """A directory served on the loopback interface; below /open without the policy."""

    def __init__(self, root):
        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args, **options):
                super().__init__(*args, directory=str(root), **options)

            def translate_path(self, path):
                return super().translate_path(path.removeprefix("/open"))

            def end_headers(self):
                if not self.path.startswith("/open/"):
                    self.send_header("Content-Security-Policy", POLICY)
                super().end_headers()

            def log_message(self, *arguments):  # pylint: disable=arguments-differ
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path, policy=True):
        return f"http://127.0.0.1:{self.server.server_port}{'' if policy else '/open'}/{path}"


def start_browser(profile):
    from selenium import webdriver  # pylint: disable=import-outside-toplevel
    from selenium.webdriver.chrome.service import Service  # pylint: disable=import-outside-toplevel

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)


class Pages:
    def __init__(self, root, pictures):
        self.root, self.pictures = root, pictures
        self.server = Server(root)
        self.profile = tempfile.mkdtemp(prefix="synfault-browser-")
        self.browser = start_browser(self.profile)
        self.names = ["site/index.html", "single.html",
                      *sorted(str(path.relative_to(root))
                              for path in (root / "site/scenarios").glob("*.html"))]

    def close(self):
        self.browser.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def show(self, name, policy=True, width=1400, theme="light"):
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": theme}]})
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})
        self.browser.get(self.server.url(name, policy))

    # Each of these yields what is wrong.

    def no_console_errors(self):
        """no page violates the policy or logs an error"""
        for name in self.names:
            if name == "single.html":
                continue  # it contains its style sheet, which the policy forbids
            self.browser.get_log("browser")
            self.show(name)
            for entry in self.browser.get_log("browser"):
                yield f"{name}: {entry['message']}"

    def style_is_applied(self):
        """the style sheet is applied, in light and dark mode"""
        for name in ("site/index.html", self.names[-1], "single.html"):
            colors = set()
            for theme in THEMES:
                self.show(name, policy=False, theme=theme)
                colors.add(self.browser.execute_script(
                    "return getComputedStyle(document.documentElement).backgroundColor"))
            if len(colors) != 2 or "rgba(0, 0, 0, 0)" in colors:
                yield f"{name}: {colors}"

    def links_resolve(self):
        """all links lead somewhere, and no id occurs twice"""
        parsed = {name: Links((self.root / name).read_text()) for name in self.names}
        for name, page in parsed.items():
            for repeated in page.repeated[:5]:
                yield f"{name}: two elements are called {repeated}"
            for link in page.links:
                path, fragment = urllib.parse.urldefrag(link)
                if path.startswith("data:"):
                    continue
                target = os.path.normpath((self.root / name).parent / urllib.parse.unquote(path)
                                          if path else self.root / name)
                if not Path(target).is_file():
                    yield f"{name}: no {link}"
                elif fragment:
                    other = parsed.get(os.path.relpath(target, self.root))
                    if not other or fragment not in other.ids:
                        yield f"{name}: {link} leads nowhere"

    def is_accessible(self):
        """axe-core finds nothing serious, in light and dark mode"""
        axe = AXE.read_text()
        for name in self.names:
            # A long page has no colours that a short one lacks, and takes long.
            long = (self.root / name).stat().st_size > LONG
            for theme in THEMES[:1] if long else THEMES:
                self.show(name, policy=False, theme=theme)
                self.browser.execute_script(axe)
                self.browser.set_script_timeout(60)
                result = self.browser.execute_async_script(
                    "axe.run({exclude: [['svg.timeline > *']]}, {resultTypes: ['violations']})"
                    ".then(arguments[arguments.length - 1])")
                for violation in result["violations"]:
                    if violation["impact"] in SERIOUS:
                        yield (f"{name}, {theme}: {violation['id']}: {violation['help']}: "
                               f"{violation['nodes'][0]['html'][:200]}")

    def fits_the_window(self):
        """no page is wider than the window; wide parts scroll on their own"""
        for name in self.names:
            for width in WIDTHS:
                self.show(name, policy=False, width=width)
                wide = self.browser.execute_script(
                    "return document.scrollingElement.scrollWidth")
                if wide > width:
                    yield f"{name}: {wide} pixels in a window of {width}"

    def texts_do_not_overlap(self):
        """no two texts of a timeline overlap, and none is outside"""
        for name in self.names:
            self.show(name, policy=False)
            for wrong in self.browser.execute_script(OVERLAPS):
                yield f"{name}: {wrong}"

    def first_tab_skips(self):
        """the first stop of the keyboard is the link to the content"""
        for name in self.names[:3]:
            self.show(name, policy=False)
            self.browser.find_element("css selector", "body").send_keys("\ue004")
            text = self.browser.execute_script("return document.activeElement.textContent")
            if text != "Skip to the content":
                yield f"{name}: {text!r}"

    def can_be_printed(self):
        """pages can be printed, and nothing in them is wider than the paper"""
        self.pictures.mkdir(exist_ok=True)
        for name in self.names:
            if (self.root / name).stat().st_size > LONG:
                continue
            self.show(name, policy=False, width=PAPER)
            self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
            wide = self.browser.execute_script("return document.scrollingElement.scrollWidth")
            if wide > PAPER:
                yield f"{name}: {wide} pixels on paper of {PAPER}"
            self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        for name in ("site/index.html", self.names[3]):
            self.show(name)
            result = self.browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
            data = base64.b64decode(result["data"])
            (self.pictures / f"{Path(name).stem}.pdf").write_bytes(data)
            if not data.startswith(b"%PDF"):
                yield f"{name}: no PDF"

    def pictures_are_left(self):
        """screenshots can be taken, and show something"""
        self.pictures.mkdir(exist_ok=True)
        for name in ("site/index.html", *self.names[2:5]):
            for width in WIDTHS:
                for theme in THEMES:
                    self.show(name, width=width, theme=theme)
                    height = self.browser.execute_cdp_cmd(
                        "Page.getLayoutMetrics", {})["cssContentSize"]["height"]
                    shot = self.browser.execute_cdp_cmd("Page.captureScreenshot", {
                        "captureBeyondViewport": True,
                        "clip": {"x": 0, "y": 0, "width": width, "height": min(height, 2600),
                                 "scale": 1}})
                    path = self.pictures / f"{Path(name).stem}-{width}-{theme}.png"
                    path.write_bytes(base64.b64decode(shot["data"]))
                    if path.stat().st_size < 5000:
                        yield f"{path.name} is nearly empty"


def main():
    use_debian_python()
    need_tools()
    directory = Path(sys.argv[2])
    tests = (Pages.no_console_errors, Pages.style_is_applied, Pages.links_resolve,
             Pages.is_accessible, Pages.fits_the_window, Pages.texts_do_not_overlap,
             Pages.first_tab_skips, Pages.can_be_printed, Pages.pictures_are_left)
    failed = False
    with tempfile.TemporaryDirectory(prefix="synfault-site-") as root:
        subprocess.run([sys.argv[1], root], check=True)
        pages = Pages(Path(root), directory / "pictures")
        print(f"1..{len(tests)}", flush=True)
        try:
            for number, test in enumerate(tests, 1):
                started = time.monotonic()
                wrong = list(test(pages))
                failed = failed or bool(wrong)
                print(f"{'not ok' if wrong else 'ok'} {number} - {test.__doc__}", flush=True)
                print(f"# {time.monotonic() - started:.1f} s")
                for line in wrong[:20]:
                    print(f"# {line}")
        finally:
            pages.close()
    sys.exit(1 if failed else 0)


main()
