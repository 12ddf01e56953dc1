#!/usr/bin/env bash
# sbom.sh IMAGE FILE: writes what of Python is in an image, as CycloneDX (JSON), by `cyclonedx-py`, which
# `pip install cyclonedx-bom` brings. The base image tells of itself, where it is published.
set -euo pipefail
image=$1 file=$2
scratch=$(mktemp -d)
container=$(docker create "$image")
trap 'docker rm "$container" > /dev/null; rm -rf "$scratch"' EXIT

python3 -m venv --without-pip "$scratch/environment"
docker cp --quiet "$container:/opt/handoff/lib/." "$scratch/lib"
cp -R "$scratch"/lib/python3.*/site-packages/. "$scratch"/environment/lib/python3.*/site-packages/
cyclonedx-py environment --output-format JSON --output-file "$file" "$scratch/environment"
