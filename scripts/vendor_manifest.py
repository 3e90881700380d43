"""Write web/static/vendor/manifest.json anew: every vendored file with its SHA-256.

Run after putting files into web/static/vendor/<name>@<version>/: python scripts/vendor_manifest.py
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

VENDOR = Path(__file__).parents[1] / "web" / "static" / "vendor"
LICENCES = {"uplot": "MIT", "geist": "OFL-1.1"}
SOURCES = {"uplot": "npm uplot", "geist": "npm @fontsource-variable/geist"}


def entry(folder: Path) -> dict[str, object]:
    """Return the manifest's entry of one library's folder."""
    name, _, version = folder.name.partition("@")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        "name": name,
        "version": version,
        "licence": LICENCES[name],
        "source": f"{SOURCES[name]}@{version}",
        "files": {
            path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        },
    }


def main() -> None:
    """Write the manifest."""
    libraries = [entry(folder) for folder in sorted(VENDOR.iterdir()) if folder.is_dir()]
    (VENDOR / "manifest.json").write_text(json.dumps({"libraries": libraries}, indent=2) + "\n")


if __name__ == "__main__":
    main()
