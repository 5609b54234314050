"""Packages downloaded, not installed, by an apt beside the system's: the system stays on its release."""

from pathlib import Path

from . import commands, places, say

# The keyring of Debian's archive; apt checks every index and package against it.
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_STABLE = "bookworm"
_SUITES = ("sid", _STABLE)


class PrivateApt:
    """apt with sources, lists and cache in a folder of ours; works for an ordinary user too."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def update(self):
        for name in ("lists/partial", "cache/archives/partial", "parts", "preferences"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._sources.write_text(_sources())
        commands.run(
            ["apt-get", *self._options, "update"],
            "read the package index of unstable",
        )

    def version(self, package, suite):
        """The version that the suite offers, or None."""
        text = commands.output(["apt-cache", *self._options, "madison", package])
        for row in text.splitlines():
            columns = [column.strip() for column in row.split("|")]
            if len(columns) == 3 and f" {suite}/" in f" {columns[2]}":
                return columns[1]
        return None

    def download(self, package, version, folder):
        """The path of the downloaded .deb; it gets there whole or not at all."""
        partial = folder / "partial"
        partial.mkdir(parents=True, exist_ok=True)
        commands.run(
            ["apt-get", *self._options, "download", f"{package}={version}"],
            f"download {package}",
            cwd=partial,
        )
        found = sorted(partial.glob(f"{package}_*.deb"), key=lambda path: path.stat().st_mtime)
        if not found:
            raise say.Problem(f"apt downloaded no {package}={version}; run the command again.")
        return found[-1].rename(folder / found[-1].name)

    @property
    def _sources(self):
        return self.folder / "sources.list"

    @property
    def _options(self):
        settings = {
            "Dir::Etc::SourceList": self._sources,
            "Dir::Etc::SourceParts": self.folder / "parts",
            "Dir::Etc::Preferences": self.folder / "preferences" / "none",
            "Dir::Etc::PreferencesParts": self.folder / "preferences",
            "Dir::State::Lists": self.folder / "lists",
            "Dir::Cache": self.folder / "cache",
            "APT::Sandbox::User": "root",
            "APT::Default-Release": "",
            "Acquire::Languages": "none",
        }
        return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def stable_suite():
    return _STABLE


def _sources():
    signed_by = f"[signed-by={_KEYRING}] " if _KEYRING.exists() else ""
    mirror = _mirror()
    return "".join(f"deb {signed_by}{mirror} {suite} main\n" for suite in _SUITES)


def _mirror():
    """The mirror that the system's own apt configuration names for its release."""
    text = commands.output(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages"]
    )
    mirrors = [row.split()[1] for row in text.splitlines() if row.split()[0] == _STABLE]
    if not mirrors:
        raise say.Problem(
            f"apt's sources on this machine name no mirror of Debian {_STABLE}; add one to "
            "/etc/apt/sources.list.d, or use a Debian 12 machine."
        )
    return mirrors[0].rstrip("/")


def cached_package(name, version):
    """A package kept from an earlier download."""
    # apt writes the epoch's colon as %3a in the file name.
    found = sorted((places.cache() / "debs").glob(f"{name}_{version.replace(':', '%3a')}_*.deb"))
    return found[-1] if found else None
