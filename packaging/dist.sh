#!/usr/bin/env bash
# Makes release archives: fish-api-credit-VERSION-TARGET.tar.gz, each an installed tree (see CMakeLists.txt) with the
# command fish-credit, a third-party notice, ABOUT (how it was built, what it leaves out) and MANIFEST (each file's
# SHA-256 and size). The same source and compilers give the same bytes, in whatever folder (docs/reproducible.md).
#
#   packaging/dist.sh OUT TARGET...
#   packaging/dist.sh --targets       prints those of a release
#
# A target that rustup has not installed is built with its standard library from source, by FISH_STD_CARGO and
# FISH_STD_RUSTC (Debian's cargo-web, rustc-web and rust-web-src). Linux and macOS are linked through cargo-zigbuild,
# Windows by MinGW. Each target builds in target/dist/TARGET, so several may run at once.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" = --targets ]; then
  printf '%s\n' {x86_64,aarch64}-unknown-linux-{gnu,musl} x86_64-pc-windows-gnu {aarch64,x86_64}-apple-darwin
  exit
fi
[ $# -ge 2 ] || { sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"
out=$(realpath "$1")
shift
version=$(sed -n 's/^version = "\(.*\)"/\1/p;T;q' Cargo.toml)
# The oldest glibc that the Linux libraries run with, and the oldest macOS.
glibc=2.17
declare -A macos=([aarch64-apple-darwin]=11.0 [x86_64-apple-darwin]=10.12)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}

fail() {
  echo "dist.sh: $*" >&2
  exit 1
}

zig=$(python3 -c 'import os, ziglang; print(os.path.dirname(os.path.realpath(ziglang.__file__)))')

# What a program needs beside the static library, from packaging/native-static-libs.txt.
static_libs() {
  awk -v target="$1" '$1 !~ /^#/ && target ~ $1 "$" { $1 = ""; sub(/^ /, ""); print }' packaging/native-static-libs.txt
}

# The prefix of GNU binutils for an ELF target, which are the same for every C library.
binutils() {
  echo "${1%%-*}-linux-gnu-"
}

# build TARGET: leaves the libraries in $built, what rustc said in $log, and sets rustc, features and
# crates (the options that choose them).
build() {
  local target=$1 command=zigbuild flags=(--release --lib --package fish-api-credit-capi --locked --target-dir "target/dist/$1")
  local sysroot_libs
  local cargo=cargo
  rustc=rustc features=default crates=()
  local -a environment=()
  sysroot_libs=$(rustc --print target-libdir --target "$target" 2>/dev/null || true)
  if [ ! -d "$sysroot_libs" ]; then
    cargo=${FISH_STD_CARGO:-/usr/bin/cargo} rustc=${FISH_STD_RUSTC:-/usr/bin/rustc}
    environment+=(RUSTC_BOOTSTRAP=1 "RUSTC=$rustc" "CARGO=$cargo")
    flags+=(-Zbuild-std=std,panic_unwind)
  fi
  # No path of the machine that built it stands in a library.
  local remap="--remap-path-prefix=$PWD=/fish-api-credit"
  remap+=" --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
  remap+=" --remap-path-prefix=$(realpath "$($rustc --print sysroot)/lib/rustlib/src/rust" 2>/dev/null || echo /none)=/rust"
  local linker=()
  case $target in
  *-windows-*)
    command=build
    linker=("-Clinker=$PWD/packaging/mingw-cc.sh" "-Cdlltool=$PWD/packaging/dlltool.sh")
    flags+=(--target "$target")
    ;;
  *-linux-gnu)
    flags+=(--target "$target.$glibc")
    ;;
  *-linux-musl)
    # What rustc takes for granted there, that everything is linked statically, leaves no shared library.
    linker=(-Ctarget-feature=-crt-static)
    # Without what writes backtraces, which the library never does: a tenth smaller, and built in three quarters of the time.
    [[ " ${flags[*]} " != *" -Zbuild-std="* ]] || flags+=(-Zbuild-std-features=panic-unwind)
    flags+=(--target "$target")
    ;;
  *-apple-darwin)
    # The frameworks that the system's certificates are read through come with Apple's SDK alone.
    features="none (FISH_TLS_ROOTS_SYSTEM is left out: it needs Apple's SDK to build)"
    crates=(--no-default-features)
    flags+=("${crates[@]}" --target "$target")
    # zig's linker knows no list of exported symbols; LLVM's does.
    environment+=(CARGO_PROFILE_RELEASE_STRIP=false "MACOSX_DEPLOYMENT_TARGET=${macos[$target]}")
    linker=(-Clinker="$PWD/packaging/apple-cc.sh")
    ;;
  *) fail "$target is not known here" ;;
  esac
  environment+=("RUSTFLAGS=$remap ${linker[*]:-}"
    "CFLAGS=-ffile-prefix-map=${CARGO_HOME:-$HOME/.cargo}=/cargo -ffile-prefix-map=$zig=/zig")
  mkdir -p "target/dist/$target"
  log=target/dist/$target/build.log
  local run=("$cargo" rustc)
  [ $command = build ] || run=(cargo-zigbuild rustc)
  echo "+ ${environment[*]} ${run[*]} ${flags[*]}"
  env "${environment[@]}" "${run[@]}" "${flags[@]}" -- --print native-static-libs \
    >"$log" 2>&1 || { tail -50 "$log" >&2; fail "$target does not build"; }
  built=$PWD/target/dist/$target/$target/release
  case $target in
  *-linux-*)
    local prefix unwinder=
    prefix=$(binutils "$target")
    if [[ $target == *-musl ]]; then
      unwinder=target/dist/$target/unwinder
      AR=${prefix}ar packaging/musl/unwinder.sh "$target" "$unwinder"
    fi
    UNWINDER=$unwinder LD=${prefix}ld OBJCOPY=${prefix}objcopy AR=${prefix}ar packaging/localize.sh \
      "$built/deps/libfish_api_credit.a" "$built/libfish_api_credit.a" --strip-debug
    ;;
  esac
  program "$target"
}

# program TARGET: compiles fish-credit with the static library, so that it stands alone, and leaves it in $built.
program() {
  local target=$1 cpu=${1%%-*} compiler=(python3 -m ziglang cc) libraries name=fish-credit
  read -ra libraries <<<"$(static_libs "$target")"
  case $target in
  *-windows-*)
    name=fish-credit.exe
    # No time of the build stands in it.
    compiler=(packaging/mingw-cc.sh -static -Wl,--no-insert-timestamp)
    ;;
  *-linux-gnu) compiler+=(-target "$cpu-linux-gnu.$glibc" -fPIE -pie) ;;
  *-linux-musl)
    compiler+=(-target "$cpu-linux-musl" -static -fPIE -pie)
    libraries=() # The unwinder is inside.
    ;;
  *-apple-darwin)
    compiler+=(-target "$cpu-macos.${macos[$target]}")
    libraries=() # One library is all of the system's, and without the feature no framework is needed.
    ;;
  esac
  rm -f "$built/$name"
  echo "+ ${compiler[*]} examples/c/fish-credit.c ... -o $name"
  "${compiler[@]}" -std=c99 -Os -g0 -s -Wall -Wextra -Werror "-ffile-prefix-map=$PWD=/fish-api-credit" -Iinclude \
    examples/c/fish-credit.c "$built/libfish_api_credit.a" "${libraries[@]}" -o "$built/$name"
}

# Holds the libraries to what every release promises.
check() {
  local target=$1 tree=$2 wanted said listed
  said=$(sed -n 's/.*native-static-libs: //p' "$log" | head -1)
  listed=$(static_libs "$target")
  case $target in
  *-apple-darwin) # Without the feature it needs less than the table says.
    local library
    for library in $said; do
      case " $listed " in *" $library "*) ;; *) fail "$target: $library is missing in native-static-libs.txt" ;; esac
    done
    ;;
  *) [ "$said" = "$listed" ] || fail "$target needs '$said', native-static-libs.txt says '$listed'" ;;
  esac

  wanted=$(grep -o '\bfish_[a-z_]*(' include/fish_api_credit.h | tr -d '(' | sort -u)
  case $target in
  *-linux-*)
    exports=$(nm -D --defined-only "$tree/lib/libfish_api_credit.so" | awk '{ print $3 }' | sort -u)
    diff <(echo "$wanted") <(nm -g --defined-only "$tree/lib/libfish_api_credit.a" | awk 'NF == 3 { print $3 }' |
      sort -u) || fail "$target: the static library defines more or less than the header's functions"
    check_runtime "$target" "$tree"
    ;;
  *-windows-*)
    exports=$(x86_64-w64-mingw32-objdump -p "$tree/bin/fish_api_credit.dll" |
      sed -n '/\[Ordinal\/Name Pointer\]/,/^$/s/.*\] //p' | tail -n +2 | sort -u)
    ;;
  *-apple-darwin)
    exports=$(llvm-nm -gU "$tree/lib/libfish_api_credit.dylib" | awk '{ print $3 }' | sed 's/^_//' | sort -u)
    ;;
  esac
  diff <(echo "$wanted") <(echo "$exports") || fail "$target does not export exactly the header's functions"
  # dlltool writes a path without its slashes.
  if grep -rlF -e "${CARGO_HOME:-$HOME/.cargo}" -e "$HOME/" -e "$PWD" -e "${PWD//[^A-Za-z0-9]/_}" -e site-packages \
    "$tree/bin" "$tree/lib"; then
    fail "$target names a folder of this machine"
  fi
}

# What the compilers of C add to a library or a command, for packaging/third-party.sh.
runtime() {
  case $1 in
  *-linux-*)
    echo "libunwind|Apache-2.0 WITH LLVM-exception|https://github.com/llvm/llvm-project|$zig/lib/libunwind/LICENSE.TXT"
    ;;&
  *-linux-musl) echo "musl|MIT|https://musl.libc.org|$zig/lib/libc/musl/COPYRIGHT" ;;&
  *-linux-* | *-apple-*) echo "zig's compiler-rt|MIT|https://ziglang.org|$zig/LICENSE" ;;
  *-windows-*)
    echo "mingw-w64|ZPL-2.1 AND others|https://www.mingw-w64.org|/usr/share/doc/mingw-w64-x86-64-dev/copyright"
    ;;
  esac
}

# What a library and a command for Linux need of the system.
check_runtime() {
  local target=$1 library=$2/lib/libfish_api_credit.so command=$2/bin/fish-credit needed file newest
  needed=$(readelf -dW "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | tr '\n' ' ')
  case $target in
  *-gnu)
    for file in "$library" "$command"; do
      newest=$(objdump -T "$file" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -1)
      [ "$(printf '%s\n' "$newest" "GLIBC_$glibc" | sort -V | tail -1)" = "GLIBC_$glibc" ] ||
        fail "$target: ${file##*/} needs $newest"
    done
    ;;
  *-musl)
    [ "$needed" = "libc.so " ] || fail "$target: the shared library needs $needed"
    ! readelf -lW "$command" | grep -q INTERP || fail "$target: fish-credit is not fully static"
    ;;
  esac
}

archive() {
  local target=$1 name=fish-api-credit-$version-$1 system=() tree
  build "$target"
  case $target in
  *-windows-*) system=(-DCMAKE_SYSTEM_NAME=Windows) ;;
  *-apple-darwin) system=(-DCMAKE_SYSTEM_NAME=Darwin) ;;
  esac
  tree=$out/$name
  rm -rf "$tree" "$tree.tar.gz" "target/dist/$target/cmake"
  # Nothing is compiled here: the compiler is named only so that CMake looks for none.
  cmake -S . -B "target/dist/$target/cmake" "${system[@]}" -DCMAKE_C_COMPILER=cc -DCMAKE_C_COMPILER_FORCED=ON \
    -DCMAKE_INSTALL_LIBDIR=lib -DFISH_API_CREDIT_TARGET="$target" -DFISH_API_CREDIT_PREBUILT="$built" >/dev/null
  cmake --build "target/dist/$target/cmake" >/dev/null
  cmake --install "target/dist/$target/cmake" --prefix "$tree" >/dev/null
  if [[ $target == *-windows-* ]]; then
    { echo 'LIBRARY "fish_api_credit.dll"'; echo EXPORTS; grep -o '\bfish_[a-z_]*(' include/fish_api_credit.h |
      tr -d '(' | sort -u | sed 's/^/  /'; } >"$tree/lib/fish_api_credit.def"
  fi
  check "$target" "$tree"
  if [ -x packaging/third-party.sh ]; then
    FISH_RUNTIME=$(runtime "$target") packaging/third-party.sh "$target" "${crates[@]}" >"$tree/THIRD-PARTY"
  fi
  {
    echo "fish-api-credit $version for $target"
    echo "built with: $($rustc --version)"
    echo "features: $features"
    case $target in
    *-linux-gnu) echo "needs: glibc $glibc or later" ;;
    *-linux-musl)
      echo "needs: musl 1.2.3 or later, and nothing else; a program that is linked fully statically needs nothing at all"
      ;;
    *-apple-darwin) echo "needs: macOS ${macos[$target]} or later"; echo "tested: no, built only" ;;
    *-windows-*) echo "needs: Windows 10 or later" ;;
    esac
  } >"$tree/ABOUT"
  (cd "$tree" && find . -type f ! -name MANIFEST -printf '%P\n' | LC_ALL=C sort | while read -r file; do
    printf '%s  %10d  %s\n' "$(sha256sum <"$file" | cut -d' ' -f1)" "$(stat -c %s "$file")" "$file"
  done >MANIFEST)
  tar -C "$out" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf - "$name" |
    gzip -9n >"$tree.tar.gz"
  rm -r "$tree"
  echo "$tree.tar.gz: $(stat -c %s "$tree.tar.gz") bytes"
}

for target in "$@"; do
  archive "$target"
done
