"""Makes a virtual environment with pip in it, from nothing but a Python and the package index.

    python3 tools/bootstrap.py .venv requirements/run.txt

Debian's `python3` comes without ensurepip (that is the package `python3-venv`). Then the one wheel
of pip that the lock file names is fetched with the standard library, from where pip itself would
look: `find-links`, `index-url` and `extra-index-url` of the environment (`PIP_INDEX_URL`, ...) or
of a `pip.conf`, else the public index. A wheel counts only if its SHA-256 is in the lock file.
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import importlib.util
import os
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import venv
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

INDEX_DEFAULT = "https://pypi.org/simple"
PYTHON_MIN = (3, 11)
PAGE_BYTES_MAX = 64 << 20  # more than any index page or wheel of pip has
SECONDS_MAX = 60.0  # for one request


def setting(name: str) -> str:
    """A setting of pip (`index-url`): the environment's, else the last `pip.conf`'s that has it."""
    from_environment = os.environ.get("PIP_" + name.upper().replace("-", "_"), "")
    if from_environment:
        return from_environment
    home = Path.home()
    user = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = [
        "/etc/xdg/pip/pip.conf",
        "/etc/pip.conf",
        home / ".pip/pip.conf",
        user / "pip/pip.conf",
    ]
    config = configparser.RawConfigParser()
    config.read([*files, os.environ.get("PIP_CONFIG_FILE", os.devnull)])
    return config.get("install", name, fallback=config.get("global", name, fallback=""))


def trust() -> ssl.SSLContext:
    """Certificates as pip finds them, else the system's.

    A machine may hold no certificates at all (Debian's `ca-certificates` is optional; pip brings
    its own). Then nobody can be verified, and need not be: the SHA-256 decides.
    """
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
    bundle = setting("cert") or next((os.environ[name] for name in names if name in os.environ), "")
    context = ssl.create_default_context(
        cafile=bundle if Path(bundle).is_file() else None,
        capath=bundle if bundle and Path(bundle).is_dir() else None,
    )
    known = ssl.get_default_verify_paths()
    directory = Path(known.capath or os.devnull)
    if not (bundle or known.cafile or (directory.is_dir() and any(directory.iterdir()))):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def fetch(url: str, context: ssl.SSLContext) -> bytes:
    """The content at an `https:`, `http:` or `file:` address, logging in as the address says."""
    parts = urllib.parse.urlsplit(url)
    login, _, host = parts.netloc.rpartition("@")
    request = urllib.request.Request(urllib.parse.urlunsplit(parts._replace(netloc=host)))
    request.add_header("Accept", "text/html")
    if login:
        plain = urllib.parse.unquote(login).encode()
        request.add_header("Authorization", "Basic " + base64.b64encode(plain).decode())
    with urllib.request.urlopen(request, timeout=SECONDS_MAX, context=context) as reply:
        return reply.read(PAGE_BYTES_MAX)


class Links(HTMLParser):
    """Collects the addresses that a page of a simple index (PEP 503) links to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


def links(page: str, context: ssl.SSLContext) -> list[str]:
    """What a page, or a directory of this machine, links to; nothing if there is no such page."""
    place = Path(urllib.request.url2pathname(page.removeprefix("file:")))
    if "://" not in page or page.startswith("file:"):
        if place.is_dir() and not (place / "index.html").is_file():
            return [entry.resolve().as_uri() for entry in place.iterdir()]
        place = place / "index.html" if place.is_dir() else place
        page = place.resolve().as_uri()
    parser = Links()
    try:
        parser.feed(fetch(page, context).decode(errors="replace"))
    except urllib.error.URLError as error:
        sys.stderr.write(f"{sys.argv[0]}: {hide_login(page)}: {error}\n")
    return [urllib.parse.urljoin(page, link) for link in parser.found]


def hide_login(url: str) -> str:
    """The address without user and password, fit for a message."""
    return re.sub(r"//[^/@]*@", "//", url)


def pages() -> Iterator[str]:
    """Where pip would look for pip."""
    yield from setting("find-links").split()
    if setting("no-index").lower() not in {"1", "true", "yes", "on"}:
        for index in (setting("index-url") or INDEX_DEFAULT, *setting("extra-index-url").split()):
            yield index.rstrip("/") + "/pip/"


def locked(lock: Path) -> tuple[str, set[str]]:
    """The file name of the wheel of pip that the lock file pins, and its permitted SHA-256."""
    found = re.search(
        r"^pip==(\S+)((?:\s*\\\n\s*--hash=sha256:\w+)+)", lock.read_text(), re.MULTILINE
    )
    if found is None:
        raise SystemExit(f"{lock} pins no pip with hashes")
    return f"pip-{found[1]}-py3-none-any.whl", set(re.findall(r"sha256:(\w+)", found[2]))


def fetch_pip(lock: Path) -> tuple[str, bytes]:
    """Name and content of the pinned wheel, from the first place that has it."""
    name, permitted = locked(lock)
    context = trust()
    for page in pages():
        for link in links(page, context):
            url = urllib.parse.urldefrag(link).url
            if urllib.parse.urlsplit(url).path.rpartition("/")[2] == name:
                wheel = fetch(url, context)
                if hashlib.sha256(wheel).hexdigest() not in permitted:
                    raise SystemExit(f"{hide_login(url)} is not the wheel that {lock} pins")
                return name, wheel
    raise SystemExit(f"{name} was found neither on the package index nor in find-links")


def main(target: str, lock: str) -> None:
    """Makes the environment `target` anew, with a pip of some version in it."""
    if sys.version_info < PYTHON_MIN:
        wanted = ".".join(map(str, PYTHON_MIN))
        raise SystemExit(f"Python {wanted} or newer is needed: make PYTHON=/path/to/python")
    if Path(target).is_symlink():
        raise SystemExit(f"{target} is a link, and what it leads to is not ours to make anew")
    if importlib.util.find_spec("ensurepip"):
        venv.create(target, clear=True, symlinks=True, with_pip=True)
        return
    name, wheel = fetch_pip(Path(lock))
    venv.create(target, clear=True, symlinks=True)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, name)
        path.write_bytes(wheel)
        python = Path(target, "bin", "python")
        command = [python, path / "pip", "install", "--quiet", "--no-index", "--no-deps", path]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
