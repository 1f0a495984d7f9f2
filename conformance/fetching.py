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
    (folder / "sources.list").write_text(f"deb-src http://deb.debian.org/debian {RELEASE} main\n")
    (folder / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{folder}/sources.list";\nDir::Etc::sourceparts "-";\n'
        f'Dir::State::lists "{folder}/lists";\nDir::Cache "{folder}";\n'
    )
    for words in (("update", "-qq"), ("source", "-qq", "--download-only", "radicale")):
        try:
            subprocess.run(("apt-get", *words), cwd=folder, env=_environment(folder), check=True, capture_output=True, timeout=300)
        except subprocess.SubprocessError as error:
            raise OSError(f"Debian's archive does not give Radicale's source: {error}") from error
    return folder / f"radicale_{VERSION}.orig.tar.gz"


def _environment(folder: Path) -> dict[str, str]:
    return {"APT_CONFIG": str(folder / "apt.conf"), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


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
