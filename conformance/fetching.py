"""Fetches the source of Radicale with its tests from Debian. What PyPI has at the version we run on comes without them."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

RELEASE, VERSION = "trixie", "3.5.3"
"""The newest source with tests that Debian's archive hands out; whoever raises it looks at the reasons in table.toml again."""

INSIDE = "radicale/tests/"


def radicale_tests(cache: Path) -> Path:
    """The folder that has Radicale's `tests` in it, from the cache or from Debian's archive. Raises OSError."""
    folder = cache / f"radicale-{VERSION}"
    if not (folder / "tests").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _unpack(_source(folder.resolve()), folder)
    return folder


def _source(folder: Path) -> Path:
    """Downloaded by apt, which checks the signatures, with lists of its own: the machine's are left as they are."""
    (folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (folder / "sources.list").write_text(f"deb-src {_archive()} {RELEASE} main\n")
    (folder / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{folder}/sources.list";\nDir::Etc::sourceparts "-";\n'
        f'Dir::State::lists "{folder}/lists";\nDir::Cache "{folder}";\n'
    )
    for words in (("update", "-qq"), ("source", "-qq", "--download-only", "radicale")):
        _apt(*words, at=folder, APT_CONFIG=str(folder / "apt.conf"))
    return folder / f"radicale_{VERSION}.orig.tar.gz"


def _archive() -> str:
    """Where the machine itself has its packages of Debian from."""
    known = _apt("indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian").split()
    if not known:
        raise OSError("apt knows of no archive of Debian here; `apt-get update` comes first.")
    return known[0]


def _apt(*words: str, at: Path | None = None, **environment: str) -> str:
    clean = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", **environment}
    try:
        return subprocess.run(("apt-get", *words), cwd=at, env=clean, check=True, capture_output=True, text=True, timeout=300).stdout
    except subprocess.SubprocessError as error:
        raise OSError(f"Debian's archive does not give Radicale's source: {error}") from error


def _unpack(archive: Path, folder: Path) -> None:
    """Only the tests: the rest would hide the Radicale that is installed."""
    with tarfile.open(archive) as opened:
        for member in opened.getmembers():
            _, found, name = member.name.partition(INSIDE)
            if found and member.isfile():
                content = opened.extractfile(member)
                target = folder / "tests" / name
                if content is not None and target.resolve().is_relative_to(folder.resolve()):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content.read())
