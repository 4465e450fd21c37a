#!/usr/bin/env bash
# Build the container image and see that it starts.
#
#   scripts/build_docker.sh [TAG]        default tag: scoreline:VERSION, with the version of pyproject.toml
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
tag=${1:-scoreline:$version}

docker build --tag "$tag" .
docker run --rm --network none "$tag" --help >/dev/null
echo "$tag"
