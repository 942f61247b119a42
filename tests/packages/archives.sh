#!/usr/bin/env bash
# The release archives, run as far as this machine can: x86_64 Linux natively, aarch64 Linux under qemu-user, both with
# glibc and with musl; Windows under Wine; macOS is looked at, not run.
#
#   tests/packages/archives.sh RELEASE [TARGET...]      all targets if none are named
targets=("${@:2}")
set -- "$1"
. "${BASH_SOURCE[0]%/*}/support"
. packaging/zig
[ ${#targets[@]} -gt 0 ] || readarray -t targets < <(packaging/dist.sh --targets)
need cc gcc /usr/include/stdio.h libc6-dev g++ g++ cmake cmake make make \
  aarch64-linux-gnu-g++ g++-aarch64-linux-gnu x86_64-w64-mingw32-g++-posix g++-mingw-w64-x86-64-posix \
  llvm-objdump llvm musl-gcc musl-tools pkg-config pkg-config qemu-aarch64 qemu-user /usr/lib/wine/wine64 wine64

unpack() { # unpack TARGET: sets $tree, after its files are found to be those of its manifest.
  tree=$work/fish-api-credit-$version-$1
  tar -C "$work" -xzf "$release/fish-api-credit-$version-$1.tar.gz"
  (cd "$tree" && while read -r sum size file; do
    [ "$(stat -c %s "$file")" = "$size" ] && echo "$sum  $file"
  done <MANIFEST | sha256sum -c --quiet -)
  [ "$(wc -l <"$tree/MANIFEST")" = "$(find "$tree" -type f ! -name MANIFEST | wc -l)" ]
}

run() { # run TARGET CC CXX RUNNER [OPTIONS OF CARGO TEST]
  unpack "$1"
  # A fully static program, for musl; else what the archive says that the static library needs.
  local static
  static=$(sed -n 's/^Libs.private: //p' "$tree/lib/pkgconfig/fish_api_credit.pc")
  [[ $1 != *-musl ]] || static="-static $static"
  local environment=(FISH_CI=1 "FISH_TREE=$tree" "FISH_CC=$2" "FISH_CXX=$3" "FISH_RUNNER=$4" "FISH_STATIC=$static")
  echo "+ ${environment[*]@Q} cargo test --test portable ${*:5}"
  env "${environment[@]}" cargo test --locked --test portable "${@:5}"
}

# Sets $loader to a folder with the loader and C library of another processor's musl, from Debian's package.
foreign_musl() { # foreign_musl DEBIAN'S-ARCHITECTURE
  local apt=(apt-get -qq -o "Dir::State::Lists=$work/apt/lists" -o "Dir::Cache=$work/apt/cache" -o "APT::Architecture=$1"
    -o "APT::Architectures=$1" -o APT::Sandbox::User=root)
  mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
  loader=$work/musl-$1
  "${apt[@]}" update
  (cd "$work" && "${apt[@]}" download "musl:$1")
  dpkg-deb -x "$work"/musl_*_"$1".deb "$loader"
}

# typed HEADING: what docs/install.md says, and what the command prints.
typed() {
  echo "+ docs/install.md, $1"
  (FISH_BASE_URL=$sandbox FISH_API_KEY=sandbox-key && export FISH_API_KEY && eval "$(lines "$1")") >"$work/said"
  cat "$work/said"
  grep -qxF 'API credit         12.34 US dollars' "$work/said"
}

start_sandbox
downloads
echo "+ docs/install.md, The files"
(eval "$(lines "The files")")
for target in "${targets[@]}"; do
  case $target in
  x86_64-unknown-linux-gnu)
    run "$target" cc g++ ""
    # The archive is a tree that CMake and pkg-config find.
    cmake -S tests/install -B "$work/consumer" -DFISH_ROUTE=find_package "-DCMAKE_PREFIX_PATH=$tree" >/dev/null
    cmake --build "$work/consumer" >/dev/null
    ctest --test-dir "$work/consumer" --no-tests=error --output-on-failure
    typed Archive
    ;;
  aarch64-unknown-linux-gnu)
    run "$target" aarch64-linux-gnu-gcc aarch64-linux-gnu-g++ "qemu-aarch64 -L /usr/aarch64-linux-gnu"
    ;;
  x86_64-unknown-linux-musl)
    # Debian has no C++ library for musl; zig has. With sections collected it asks for nothing newer than Debian's musl.
    run "$target" musl-gcc "python3 -m ziglang c++ -target x86_64-linux-musl -dynamic -O1 -Wl,--gc-sections" "" \
      --test alone
    typed "Alpine, and static programs"
    # In other people's processes: forks, signals, small stacks, threads that are cancelled, a plugin. What is left out
    # is about glibc: musl unloads nothing, lets nobody stand in for its malloc in that way, and each of its libraries
    # exports _init.
    FISH_CI=1 FISH_HOST_CC=musl-gcc FISH_HOST_LIBRARY=$tree/lib FISH_STATIC=-lc cargo test --locked --test host -- \
      --skip unloaded_while_busy --skip allocates_nothing --skip first_calls --skip exports_its_own
    ;;
  aarch64-unknown-linux-musl)
    foreign_musl arm64
    zig="-target aarch64-linux-musl -dynamic -O1 -Wl,--gc-sections"
    run "$target" "python3 -m ziglang cc $zig" "python3 -m ziglang c++ $zig" "qemu-aarch64 -L $loader"
    ;;
  x86_64-pc-windows-gnu)
    wine=$(command -v wine64 || echo /usr/lib/wine/wine64)
    export WINEPREFIX=$work/wine WINEDEBUG=-all WINEPATH="Z:$work/fish-api-credit-$version-$target/bin;Z:$work/aid"
    mkdir -p "$work/aid"
    for dll in libstdc++-6.dll libgcc_s_seh-1.dll libwinpthread-1.dll; do
      ln -s "$(x86_64-w64-mingw32-g++-posix -print-file-name=$dll)" "$work/aid/$dll"
    done
    # Wine 8 lacks a library of Windows 10.
    x86_64-w64-mingw32-gcc -shared -O2 -Wall -Wextra -Werror tests/wine/bcryptprimitives.c -ladvapi32 \
      -o "$work/aid/bcryptprimitives.dll"
    run "$target" x86_64-w64-mingw32-gcc x86_64-w64-mingw32-g++-posix "$wine"
    # Found by CMake, shared and static, as a program for Windows.
    cat >"$work/mingw.cmake" <<TOOLCHAIN
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_CROSSCOMPILING_EMULATOR $wine)
TOOLCHAIN
    cmake -S tests/install -B "$work/windows" -DFISH_ROUTE=find_package "-DCMAKE_PREFIX_PATH=$tree" \
      "-DCMAKE_TOOLCHAIN_FILE=$work/mingw.cmake" >/dev/null
    cmake --build "$work/windows" >/dev/null
    ctest --test-dir "$work/windows" --no-tests=error --output-on-failure
    ;;
  *-apple-darwin)
    unpack "$target"
    llvm-objdump --macho --dylib-id --dylibs-used "$tree/lib/libfish_api_credit.dylib"
    echo "$target: built, not run"
    ;;
  esac
done

# Made again from another folder and under another home.
twice=x86_64-unknown-linux-gnu
if [[ " ${targets[*]} " == *" $twice "* ]]; then
  echo "+ packaging/dist.sh, again, from another folder"
  mkdir -p "$work/again" "$work/home/registry"
  git ls-files -z | xargs -0 tar -c | tar -x -C "$work/again"
  cp -r "${CARGO_HOME:-$HOME/.cargo}"/registry/{cache,index} "$work/home/registry"
  (cd "$work/again" && SOURCE_DATE_EPOCH=$(git -C "$OLDPWD" log -1 --format=%ct) CARGO_HOME=$work/home \
    ZIG_GLOBAL_CACHE_DIR=$work/zig packaging/dist.sh "$work/out" $twice >/dev/null)
  cmp "$release/fish-api-credit-$version-$twice.tar.gz" "$work/out/fish-api-credit-$version-$twice.tar.gz"
fi
echo "archives: all passed"
