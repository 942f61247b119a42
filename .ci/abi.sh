#!/usr/bin/env bash
# The binary interface: what is committed, every other system with 64-bit pointers, and the last release.
set -euo pipefail
cd "$(dirname "$0")/.."

. .ci/packages.sh
need cc gcc /usr/include/stdio.h libc6-dev g++ g++ clang++ clang git git

# The release before this one: a tag that is not on this very commit.
tag=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 'HEAD^' 2>/dev/null || true)
if [ -n "$tag" ]; then
  released=$(mktemp)
  trap 'rm -f "$released"' EXIT
  git show "$tag:docs/abi.txt" >"$released"
  export FISH_ABI_RELEASED=$released
  echo "compared with $tag"
else
  echo "compared with docs/abi.txt alone: nothing is released yet"
fi

echo "+ FISH_CI=1 cargo test --test abi"
FISH_CI=1 cargo test --locked --test abi
