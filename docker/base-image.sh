#!/usr/bin/env bash
# Make debian:bookworm-slim locally, for hosts with no Docker engine or no image registry: debootstrap + buildah.
#
#   docker/base-image.sh
#
# The host's CA bundle and PIP_FIND_LINKS go in, so that apt, pip and npm work inside a build behind a company's proxy.
# Needs root. An image that is there already is left alone.
set -euo pipefail
export STORAGE_DRIVER=${STORAGE_DRIVER:-vfs}
name=docker.io/library/debian:bookworm-slim
bundle=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
inside=/usr/local/share/host-ca.pem

if ! command -v buildah debootstrap >/dev/null; then
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends buildah debootstrap >/dev/null
fi
if buildah inspect --type image "$name" >/dev/null 2>&1; then
    echo "$name is there"
    exit 0
fi
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase bookworm "$root" >/dev/null
container=$(buildah from scratch)
buildah add -q "$container" "$root" / >/dev/null
buildah copy -q "$container" "$bundle" "$inside" >/dev/null
buildah config --env SSL_CERT_FILE="$inside" --env PIP_CERT="$inside" --env NODE_EXTRA_CA_CERTS="$inside" \
    --env PIP_FIND_LINKS="${PIP_FIND_LINKS:-}" --cmd bash "$container"
buildah commit -q "$container" "$name" >/dev/null
buildah rm "$container" >/dev/null
echo "made $name"
