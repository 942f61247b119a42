#!/usr/bin/env bash
# Makes fish-api-credit-VERSION-conan.tar.gz: the Conan 2 recipe of packaging/conan with its test package, and a
# conandata.yml that says where each release archive is, what its SHA-256 is, and what its static library needs.
#
#   packaging/conan.sh ARCHIVES OUT
#
# The same archives give the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/from-archives

homepage=$(sed -n 's/^ *homepage = "\(.*\)"/\1/p' packaging/conan/conanfile.py)
# Where a release's files are on GitHub; the tag is v and the version.
releases=$homepage/releases/download/v$version
recipe=fish-api-credit-$version-conan
cp -R packaging/conan "$work/$recipe"
cp tests/install/main.c tests/install/main.cpp "$work/$recipe/test_package"
rm -rf "$work/$recipe"/__pycache__ "$work/$recipe"/*/__pycache__

list() { # list NAME...: for YAML
  local IFS=,
  echo "[$*]"
}
found=$(targets)
{
  echo "# Written by packaging/conan.sh for version $version."
  echo "version: \"$version\""
  echo "archives:"
  for target in $found; do
    unpack "$target"
    archive=${tree##*/}.tar.gz
    libraries=() frameworks=()
    # As its pkg-config file says it.
    for library in $(sed -n '/^Libs.private: /{s///; s/-framework /-framework=/g; p}' "$tree/lib/pkgconfig/fish_api_credit.pc"); do
      case $library in
      -framework=*) frameworks+=("${library#*=}") ;;
      -l*) libraries+=("${library#-l}") ;;
      *) fail "$target needs $library" ;;
      esac
    done
    [ ${#libraries[@]} -gt 0 ] || fail "$target needs no library?"
    echo "  $target:"
    echo "    url: $releases/$archive"
    echo "    sha256: $(sha256sum <"$archives/$archive" | cut -d' ' -f1)"
    echo "    system_libs: $(list "${libraries[@]}")"
    echo "    frameworks: $(list "${frameworks[@]}")"
  done
} >"$work/$recipe/conandata.yml"
chmod -R u=rwX,go=rX "$work/$recipe"
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf - "$recipe" |
  gzip -9n >"$out/$recipe.tar.gz"
echo "$out/$recipe.tar.gz: $(stat -c %s "$out/$recipe.tar.gz") bytes"
