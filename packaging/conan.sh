#!/usr/bin/env bash
# Makes fish-api-credit-VERSION-conan.tar.gz: the Conan 2 recipe of packaging/conan with its test package, and a
# conandata.yml that says where each release archive is, what its SHA-256 is, and what its static library needs.
#
#   packaging/conan.sh ARCHIVES OUT
#
# ARCHIVES has fish-api-credit-VERSION-TARGET.tar.gz (packaging/dist.sh). The same archives give the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# = 2 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
archives=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
version=$(sed -n 's/^version = "\(.*\)"/\1/p;T;q' Cargo.toml)
homepage=$(sed -n 's/^ *homepage = "\(.*\)"/\1/p' packaging/conan/conanfile.py)
name=fish-api-credit-$version-conan
# Where a release's files are on GitHub; the tag is v and the version.
releases=$homepage/releases/download/v$version

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R packaging/conan "$work/$name"
cp tests/install/main.c tests/install/main.cpp "$work/$name/test_package"
rm -rf "$work/$name"/__pycache__ "$work/$name"/*/__pycache__

list() { # list LIBRARIES...: for YAML
  local IFS=,
  echo "[$*]"
}
{
  echo "# Written by packaging/conan.sh for version $version."
  echo "version: \"$version\""
  echo "archives:"
  for archive in "$archives/fish-api-credit-$version"-*-*-*.tar.gz; do
    [ -e "$archive" ] || { echo "conan.sh: no archives of $version in $archives" >&2; exit 1; }
    target=${archive##*/fish-api-credit-"$version"-}
    target=${target%.tar.gz}
    libraries=() frameworks=()
    needed=$(awk -v target="$target" '$1 !~ /^#/ && target ~ $1 "$" { $1 = ""; gsub(/-framework /, "-framework="); print }' \
      packaging/native-static-libs.txt)
    [ -n "$needed" ] || { echo "conan.sh: packaging/native-static-libs.txt does not know $target" >&2; exit 1; }
    for library in $needed; do
      case $library in
      -framework=*) frameworks+=("${library#*=}") ;;
      -l*) libraries+=("${library#-l}") ;;
      *) echo "conan.sh: $target needs $library" >&2; exit 1 ;;
      esac
    done
    echo "  $target:"
    echo "    url: $releases/${archive##*/}"
    echo "    sha256: $(sha256sum <"$archive" | cut -d' ' -f1)"
    echo "    system_libs: $(list "${libraries[@]}")"
    echo "    frameworks: $(list "${frameworks[@]}")"
  done
} >"$work/$name/conandata.yml"

epoch=${SOURCE_DATE_EPOCH:-$(stat -c %Y "$archive")}
chmod -R u=rwX,go=rX "$work/$name"
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -cf - "$name" | gzip -9n >"$out/$name.tar.gz"
echo "$out/$name.tar.gz: $(stat -c %s "$out/$name.tar.gz") bytes"
