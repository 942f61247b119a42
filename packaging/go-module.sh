#!/usr/bin/env bash
# Makes the Go module of examples/go/fishcredit with the header and the static libraries of all release archives inside:
# fish-api-credit-VERSION-go.tar.gz, a folder that serves as a GOPROXY. No compiler is needed, nor Go.
#
#   packaging/go-module.sh ARCHIVES OUT
#
# Each library is in a folder of its own with a Go file, which the module imports: `go mod vendor` keeps no other folders.
# A file of the module for each platform says what to link; where there is none, or with the tag fish_pkgconfig, pkg-config
# is asked as in the source.
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/from-archives

module=$(sed -n 's/^module //p' examples/go/fishcredit/go.mod)
source=$work/module
mkdir "$source"
(cd examples/go/fishcredit && find . -name '*.go' -exec cp --parents {} "$source" \;)
cp examples/go/fishcredit/go.mod LICENSE-MIT LICENSE-APACHE "$source"
readme docs/go.md "$source"

# folder PACKAGE WHAT: a folder of the module with a Go file.
folder() {
  mkdir -p "$source/$1"
  printf '// Package %s has %s. It is imported so that vendoring keeps its folder.\npackage %s\n' \
    "${1##*/}" "$2" "${1##*/}" >"$source/$1/package.go"
}

targets=$(targets)
own=
folder include "the header of the libraries"
for target in $targets; do
  unpack "$target"
  cpu=${target%%-*}
  cpu=${cpu/x86_64/amd64}
  cpu=${cpu/aarch64/arm64}
  # `link` names the file for the platform, and `tags` chooses between two for the same one.
  case $target in
  *-linux-gnu) place=linux_$cpu what="Linux with glibc $(needed glibc) or later" link=link_$place tags="!fish_musl" ;;
  *-linux-musl) place=linux_${cpu}_musl what="Linux with musl $(needed musl) or later" link=link_musl_linux_$cpu tags=fish_musl ;;
  *-windows-gnu) place=windows_$cpu what=Windows link=link_$place tags= ;;
  *-apple-darwin) place=darwin_$cpu what="macOS $(needed macOS) or later" link=link_$place tags= ;;
  *) fail "$target has no name in Go" ;;
  esac
  [[ $target == *-musl ]] || own="${own:+$own || }(${place%_*} && ${place#*_})"
  folder "lib/$place" "the static library for $what"
  cp "$tree/lib/libfish_api_credit.a" "$tree/THIRD-PARTY" "$source/lib/$place"
  cp "$tree/include/fish_api_credit.h" "$source/include"
  cat >"$source/$link.go" <<GO
//go:build ${tags:+$tags && }!fish_pkgconfig && !fish_prefix

package fishcredit

// The module's own library, for $what.

// #cgo CFLAGS: -I\${SRCDIR}/include
// #cgo LDFLAGS: \${SRCDIR}/lib/$place/libfish_api_credit.a $(sed -n 's/^Libs.private: //p' "$tree/lib/pkgconfig/fish_api_credit.pc")
import "C"

import (
	_ "$module/include"
	_ "$module/lib/$place"
)
GO
done
[ "$(head -n 1 "$source/link_pkgconfig.go")" = "//go:build !fish_prefix" ] || fail "link_pkgconfig.go is another"
sed -i "1s/.*/\/\/go:build fish_pkgconfig || (!fish_prefix \&\& !(${own//&/\\&}))/" "$source/link_pkgconfig.go"

name_inside=fish-api-credit-$version-go
python3 packaging/go-module.py "$source" "$module" "v$version" "$SOURCE_DATE_EPOCH" "$work/$name_inside"
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf - "$name_inside" |
  gzip -9n >"$out/$name_inside.tar.gz"
echo "$out/$name_inside.tar.gz: $(stat -c %s "$out/$name_inside.tar.gz") bytes"
