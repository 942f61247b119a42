#!/usr/bin/env bash
# Makes all files of a release from a clean clone: the source, the archive of each target, the packages that are made
# from the archives, SHA256SUMS over them, and MANIFEST with their sizes. The same commit gives the same bytes
# (docs/reproducible.md).
#
#   packaging/release.sh OUT
#
# .ci/release.sh installs the tools for it on Debian 12, and tries each package. docs/install.md says what each file
# is for.
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# = 1 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"
out=$(realpath "$1")
version=$(sed -n 's/^version = "\(.*\)"/\1/p;T;q' Cargo.toml)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}

# What else is there would be summed with the rest.
[ -z "$(ls -A "$out")" ] || { echo "release.sh: $1 is not empty; name a new folder" >&2; exit 1; }

echo "+ the source"
git archive --format=tar --prefix="fish-api-credit-$version/" HEAD | gzip -9n >"$out/fish-api-credit-$version.tar.gz"

. packaging/zig
# Two at a time: each ends in one long link that only one core works at.
packaging/dist.sh --targets | xargs -P2 -I{} packaging/dist.sh "$out" {}
for package in wheels npm go-module deb rpm conan; do
  echo "+ packaging/$package.sh"
  "packaging/$package.sh" "$out" "$out"
done

cd "$out"
readarray -t files < <(find . -type f -printf '%P\n' | LC_ALL=C sort)
sha256sum "${files[@]}" >SHA256SUMS
# With their sizes, as in an archive.
for file in "${files[@]}"; do
  printf '%s  %10d  %s\n' "$(sha256sum <"$file" | cut -d' ' -f1)" "$(stat -c %s "$file")" "$file"
done | tee MANIFEST
