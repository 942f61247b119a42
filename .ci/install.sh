#!/usr/bin/env bash
# The library, installed as a C library is and used from there: by find_package, add_subdirectory, FetchContent and
# pkg-config, shared and static, after the tree was moved, and from a DESTDIR. Then the C++ header's tests, and those of
# the command's man page and completions.
set -euo pipefail
cd "$(dirname "$0")/.."

. .ci/packages.sh
# Clang's AddressSanitizer, for the C++ tests, comes with it only where apt installs what is recommended.
need cc gcc /usr/include/stdio.h libc6-dev cmake cmake make make pkg-config pkg-config g++ g++ clang++ clang ld.lld lld \
  ninja ninja-build git git glib-mkenums libglib2.0-dev \
  mandoc mandoc man man-db zsh zsh fish fish /usr/share/bash-completion/bash_completion bash-completion \
  '/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.asan-*.a' libclang-rt-14-dev

absent() { # absent COMMAND...: the command must fail. (A plain `!` is lost on `set -e`.)
  if "$@"; then
    echo "unexpected success: $*" >&2
    exit 1
  fi
}

command_runs() { # command_runs FILE: it finds its library by itself.
  test "$("$1" --version)" = "fish-credit $version, library $version"
}

version=$(sed -n 's/^version = "\(.*\)"/\1/p;T;q' Cargo.toml)
series=${version%.*} # Within which find_package takes one version for another.
soname=libfish_api_credit.so.${version%%.*}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# One build of the library for all of this, and for the next time.
export CMAKE_BUILD_PARALLEL_LEVEL=2
cargo_dir="-DFISH_API_CREDIT_CARGO_DIR=$PWD/target"
set -x

# The route of docs/c.md, and where each file is to be.
cmake -S . -B "$work/build" -DCMAKE_INSTALL_LIBDIR=lib "$cargo_dir"
cmake --build "$work/build"
cmake --install "$work/build" --prefix "$work/first"
expected="bin/fish-credit
include/fish_api_credit.h
include/fish_api_credit.hpp
$(test ! -e include/module.modulemap || echo include/module.modulemap)
lib/cmake/FishApiCredit/FishApiCreditConfig.cmake
lib/cmake/FishApiCredit/FishApiCreditConfigVersion.cmake
lib/libfish_api_credit.a
lib/libfish_api_credit.so
lib/$soname
lib/libfish_api_credit.so.$version
lib/pkgconfig/fish_api_credit.pc
share/bash-completion/completions/fish-credit
$(printf 'share/doc/fish-api-credit/%s\n' CHANGELOG.md README.md)
share/fish-api-credit/valgrind.supp
share/fish/vendor_completions.d/fish-credit.fish
share/licenses/fish-api-credit/LICENSE-APACHE
share/licenses/fish-api-credit/LICENSE-MIT
share/man/man1/fish-credit.1
share/zsh/site-functions/_fish-credit"
diff <(echo "$expected" | sed '/^$/d') <(cd "$work/first" && find . ! -type d -printf '%P\n' | LC_ALL=C sort)
test "$(readlink "$work/first/lib/$soname")" = "libfish_api_credit.so.$version"
test "$(readlink "$work/first/lib/libfish_api_credit.so")" = "libfish_api_credit.so.$version"
grep -qF "soname: [$soname]" <(readelf -d "$work/first/lib/libfish_api_credit.so")
# The static library defines the functions that the shared one exports, and no other symbol.
diff <(nm -D --defined-only --format=posix "$work/first/lib/libfish_api_credit.so" | cut -d' ' -f1) \
  <(nm -g --defined-only --format=posix "$work/first/lib/libfish_api_credit.a" | sed '/:$/d; s/ .*//')
# Nothing installed remembers where it was built or first installed.
absent grep -rlF -e "$work" -e "$PWD" "$work/first/bin" "$work/first/include" "$work/first/lib/cmake" \
  "$work/first/lib/pkgconfig"

# Staged by DESTDIR as a packager does, into a multiarch folder; nothing lands outside it.
cmake -S . -B "$work/debian" -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_INSTALL_LIBDIR=lib/x86_64-linux-gnu "$cargo_dir"
cmake --build "$work/debian"
DESTDIR="$work/dest" cmake --install "$work/debian"
test -e "$work/dest/usr/lib/x86_64-linux-gnu/$soname"
test "$(PKG_CONFIG_PATH="$work/dest/usr/lib/x86_64-linux-gnu/pkgconfig" pkg-config --variable=prefix fish_api_credit |
  xargs realpath)" = "$work/dest/usr"
PKG_CONFIG_PATH="$work/dest/usr/lib/x86_64-linux-gnu/pkgconfig" \
  sh -c 'cc tests/install/main.c $(pkg-config --cflags --libs fish_api_credit) -o "$1"' - "$work/multiarch"
LD_LIBRARY_PATH="$work/dest/usr/lib/x86_64-linux-gnu" "$work/multiarch"
command_runs "$work/dest/usr/bin/fish-credit"

# The tree moves, and everything is used from where it came to be: a path with a space in it.
tree="$work/moved to here"
mv "$work/first" "$tree"
command_runs "$tree/bin/fish-credit"
grep -qF "[$soname]" <(readelf -d "$tree/bin/fish-credit")

consumer() { # consumer NAME GENERATOR ARGUMENTS...: configures, builds and runs tests/install.
  cmake -S tests/install -B "$work/$1" -G "$2" "${@:3}"
  cmake --build "$work/$1"
  ctest --test-dir "$work/$1" --output-on-failure --no-tests=error
}
consumer found "Unix Makefiles" -DFISH_ROUTE=find_package "-DFISH_VERSION=$series" "-DCMAKE_PREFIX_PATH=$tree"
consumer found-ninja Ninja -DFISH_ROUTE=find_package "-DFISH_VERSION=$series" "-DCMAKE_PREFIX_PATH=$tree"
consumer subdirectory Ninja -DFISH_ROUTE=add_subdirectory "-DFISH_SOURCE=$PWD" "$cargo_dir"
git ls-files --cached --others --exclude-standard -z | tar --null --files-from=- --transform 's,^,fish-api-credit/,' \
  -cf "$work/source.tar"
consumer fetched "Unix Makefiles" -DFISH_ROUTE=FetchContent "-DFISH_SOURCE=$work/source.tar" "$cargo_dir" \
  -DFISH_API_CREDIT_PROFILE=dev
# A subproject installs nothing of its own into its parent's tree.
cmake --install "$work/subdirectory" --prefix "$work/parent"
test ! -e "$work/parent/include"
# A version that the installed one does not satisfy is refused; so is a part that is not there.
refused() {
  mkdir -p "$work/refused"
  printf 'cmake_minimum_required(VERSION 3.21)\nproject(p C)\nfind_package(FishApiCredit %s REQUIRED)\n' "$1" \
    >"$work/refused/CMakeLists.txt"
  absent cmake -S "$work/refused" -B "$work/refused/build" "-DCMAKE_PREFIX_PATH=$2"
}
refused "$((${series%.*} + 1)).0" "$tree"
refused "${series%.*}.$((${series#*.} + 1))" "$tree"

# By pkg-config alone. Its output is not quoted for the shell's word splitting, so the tree moves once more.
mv "$tree" "$work/plain"
tree="$work/plain"
export PKG_CONFIG_PATH="$tree/lib/pkgconfig"
test "$(pkg-config --modversion fish_api_credit)" = "$version"
cc tests/install/main.c $(pkg-config --cflags --libs fish_api_credit) -o "$work/shared"
grep -qF "[$soname]" <(readelf -d "$work/shared")
LD_LIBRARY_PATH="$tree/lib" "$work/shared"

# The static library alone: then that is what -lfish_api_credit means, and --static says what it needs.
cmake -S . -B "$work/build" -DFISH_API_CREDIT_SHARED=OFF
cmake --build "$work/build"
cmake --install "$work/build" --prefix "$work/static"
test ! -e "$work/static/lib/libfish_api_credit.so"
export PKG_CONFIG_PATH="$work/static/lib/pkgconfig"
test "$(pkg-config --libs-only-l --static fish_api_credit | xargs)" = \
  "-lfish_api_credit $(sed -n 's/^linux-gnu *//p' packaging/native-static-libs.txt)"
grep -qF '"-lgcc_s;-lutil;-lrt;-lpthread;-lm;-ldl;-lc"' "$work/static/lib/cmake/FishApiCredit/FishApiCreditConfig.cmake"
cc tests/install/main.c $(pkg-config --cflags --libs --static fish_api_credit) -o "$work/static-program"
absent grep -q 'NEEDED.*libfish_api_credit' <(readelf -d "$work/static-program")
"$work/static-program"
absent grep -q 'NEEDED.*libfish_api_credit' <(readelf -d "$work/static/bin/fish-credit")
command_runs "$work/static/bin/fish-credit"
refused "COMPONENTS shared" "$work/static"

# What was built before is installed without a compiler; so is the command, if it is there.
mkdir "$work/prebuilt"
cp "$tree/lib/libfish_api_credit.a" "$tree/lib/libfish_api_credit.so" "$work/prebuilt"
prebuilt() { # prebuilt NAME ARGUMENTS...
  cmake -S . -B "$work/$1-build" -DCMAKE_C_COMPILER=/bin/false -DCMAKE_C_COMPILER_FORCED=ON \
    -DCMAKE_INSTALL_LIBDIR=lib "-DFISH_API_CREDIT_PREBUILT=$work/prebuilt" "${@:2}"
  cmake --build "$work/$1-build"
  cmake --install "$work/$1-build" --prefix "$work/$1"
}
prebuilt without
test ! -e "$work/without/bin"
test ! -e "$work/without/share/man"
cp "$work/static/bin/fish-credit" "$work/prebuilt"
prebuilt with
command_runs "$work/with/bin/fish-credit"
diff <(echo "$expected" | sed '/^$/d') <(cd "$work/with" && find . ! -type d -printf '%P\n' | LC_ALL=C sort)
prebuilt refused-command -DFISH_API_CREDIT_COMMAND=OFF
test ! -e "$work/refused-command/bin"

{ set +x; } 2>/dev/null
FISH_CI=1 cargo test --locked --test cpp --test static_library --test portable --test manual
