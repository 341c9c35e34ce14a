"""Manifests of older schemas, rewritten as this Tribank writes them. Scoring reads both."""

from __future__ import annotations

from pathlib import Path

from banks.versions.leftovers import exclusive
from banks.versions.manifest import MANIFEST, Manifest
from banks.versions.manifest_schemas import SCHEMA_VERSION
from banks.versions.seal import parse
from models.atomic_file import write_atomically


def older_schema(version: Path) -> int | None:
    """The schema of a version's manifest, if it is older than this Tribank's; else None.

    Raises OSError, or ValueError where the manifest cannot be read.
    """
    Manifest.read(version)
    schema = parse((version / MANIFEST).read_bytes())["schema_version"]
    return schema if schema < SCHEMA_VERSION else None


def upgrade(version: Path) -> int | None:
    """Rewrite an older manifest. The old one stays beside it, as `manifest.schema-3.json`.

    Returns the schema that it had; None where it is up to date. Raises OSError, or ValueError where the
    manifest cannot be read.
    """
    with exclusive(version.parent):
        schema = older_schema(version)
        if schema is None:
            return None
        manifest, old = Manifest.read(version), (version / MANIFEST).read_bytes()
        write_atomically(version / f"manifest.schema-{schema}.json", old)
        manifest.write(version)
        return schema
