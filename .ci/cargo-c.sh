#!/usr/bin/env bash
# `cargo cinstall`, by the cargo-c of Debian 13: what it installs, beside what CMake installs, and a program by pkg-config.
# docs/c.md says what it leaves out. Needs root.
#
# The tree is made once, in FISH_TREES or target/trees.
set -euo pipefail
cd "$(dirname "$0")/.."
project=$PWD
PATH=$PATH:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin
. .ci/tree
need cc gcc /usr/include/stdio.h libc6-dev cmake cmake make make readelf binutils

root=$(realpath -m "${FISH_TREES:-target/trees}/cargo-c")
if [ ! -e "$root/made" ]; then
  make_tree trixie "$root"
  echo "+ apt-get install cargo-c"
  in_tree "$root" sh -euc 'apt-get update -qq
    apt-get install -qq -y --no-install-recommends cargo-c gcc libc6-dev pkgconf >/dev/null
    apt-get clean'
  touch "$root/made"
fi

# Cargo and its crates are this machine's; cargo-c brings a cargo of its own, which runs this machine's rustc.
cargo fetch --locked --quiet
cargo_home=${CARGO_HOME:-$HOME/.cargo} sysroot=$(rustc --print sysroot) target=$project/target/cargo-c
mkdir -p "$target"
rm -rf "$root/usr/local"
echo "+ cargo cinstall -p fish-api-credit-capi --libdir lib --debug"
in_tree "$root" --bind "$project" --bind "$sysroot" --bind "$cargo_home" CARGO_HOME="$cargo_home" \
  PATH="$sysroot/bin:$tree_path" CARGO_TARGET_DIR="$target" CARGO_NET_OFFLINE=true sh -euc '
  cd "$1"
  cargo cinstall --locked -p fish-api-credit-capi --libdir lib --debug 2>&1 | tail -n 12
  ldconfig
  cc -Wall -Werror tests/install/main.c $(pkg-config --cflags --libs fish_api_credit) -o /tmp/program
  /tmp/program' - "$project"

# The same libraries, as CMake installs them, without the command.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
installed=$root/usr/local
mkdir "$work/built"
cp -L "$installed/lib/libfish_api_credit.a" "$installed/lib/libfish_api_credit.so" "$work/built"
cmake -S . -B "$work/build" -DFISH_API_CREDIT_PREBUILT="$work/built" -DFISH_API_CREDIT_COMMAND=OFF \
  -DCMAKE_INSTALL_LIBDIR=lib >/dev/null
cmake --build "$work/build" >/dev/null
cmake --install "$work/build" --prefix "$work/cmake" >/dev/null

files() { # files FOLDER: with where each link leads
  (cd "$1" && find . -type f -printf '%P\n' -o -type l -printf '%P -> %l\n' | LC_ALL=C sort)
}
echo "+ what CMake installs and cargo-c does not"
diff <(comm -3 <(files "$work/cmake") <(files "$installed")) - <<'END'
lib/cmake/FishApiCredit/FishApiCreditConfig.cmake
lib/cmake/FishApiCredit/FishApiCreditConfigVersion.cmake
END
for file in $(cd "$work/cmake" && find include share -type f); do
  cmp "$work/cmake/$file" "$installed/$file"
done
described() { # described FILE: its lines, sorted, without where it lies.
  grep -E '^(Name|Description|Version|Libs|Libs.private|Cflags): ' "$1" | LC_ALL=C sort
}
diff <(described "$work/cmake/lib/pkgconfig/fish_api_credit.pc") <(described "$installed/lib/pkgconfig/fish_api_credit.pc")

library=$installed/lib/libfish_api_credit.so
readelf -dW "$library" | grep -F 'soname: [libfish_api_credit.so.0]'
readelf -dW "$library" | grep NODELETE
diff <(grep -o '\bfish_[a-z_]*(' include/fish_api_credit.h | tr -d '(' | LC_ALL=C sort -u) \
  <(nm -D --defined-only "$library" | awk '{ print $3 }' | LC_ALL=C sort -u)
echo "cargo-c: all passed"
