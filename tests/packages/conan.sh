#!/usr/bin/env bash
# The Conan recipe as its users meet it: `conan create` with its test package, shared and static, natively and across to
# aarch64 (run under qemu) and Windows (built); a program by pkg-config; packages for every other archive; and refusals of
# a changed archive and of MSVC. There is no network, and Conan's home is a temporary folder.
#
#   tests/packages/conan.sh RELEASE
. "${BASH_SOURCE[0]%/*}/support"
need cc gcc /usr/include/stdio.h libc6-dev g++ g++ cmake cmake make make pkg-config pkg-config \
  '/usr/lib/python3*/ensurepip' python3-venv aarch64-linux-gnu-g++ g++-aarch64-linux-gnu qemu-aarch64 qemu-user \
  x86_64-w64-mingw32-g++-posix g++-mingw-w64-x86-64-posix
conan_version=2.34.0 venv=$PWD/target/packages/conan
if [ ! -x $venv/bin/conan ] || ! $venv/bin/conan --version | grep -qF " $conan_version"; then
  python3 -m venv --clear "$venv"
  $venv/bin/pip install -q conan==$conan_version
fi
PATH=$venv/bin:$PATH
export CONAN_HOME=$work/home
unset CC CXX CFLAGS CXXFLAGS LDFLAGS
conan profile detect 2>/dev/null >/dev/null
conan remote disable '*' >/dev/null

recipe=$work/fish-api-credit-$version-conan
tar -C "$work" -xzf "$release/fish-api-credit-$version-conan.tar.gz"
the_same_again packaging/conan.sh "${recipe##*/}.tar.gz"

create() { # create ARGUMENTS...: says what went wrong, and nothing if all went well.
  rm -rf "$recipe/test_package/build"
  conan create "$recipe" -c "user.fish_api_credit:archives=${archives:-$release}" "$@" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; return 1; }
}
refused() { # refused TEXT ARGUMENTS...
  if create "${@:2}" 2>/dev/null || ! grep -qF "$1" "$work/log"; then
    cat "$work/log" >&2
    echo "conan create was to say: $1" >&2
    return 1
  fi
}
files() { # files: of the package that create has just made.
  (cd "$(sed -n 's/^Package folder //p' "$work/log")" && find . ! -type d ! -name 'conan*.txt' -printf '%P\n' | LC_ALL=C sort)
}
holds() { # holds FILE...: beside the headers and licences.
  diff <(printf '%s\n' include/fish_api_credit.h include/fish_api_credit.hpp include/module.modulemap "$@" \
    licenses/LICENSE-APACHE licenses/LICENSE-MIT licenses/THIRD-PARTY | LC_ALL=C sort) <(files)
}
built() { # built NAME: a program of the test package.
  find "$recipe/test_package/build" -name "$1" -type f
}
option=fish-api-credit/*

echo "+ what docs/install.md says"
downloads
(eval "$(lines Conan)") >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }

echo "+ conan create, and the test package's programs"
for shared in True False; do
  create -o "$option:shared=$shared"
  grep -A1 'RUN: .*/c"' "$work/log" | grep -F "$version, 0 wrong"
  grep -A1 'RUN: .*/cpp"' "$work/log" | grep -x good
  if [ $shared = True ]; then
    holds lib/libfish_api_credit.so "lib/libfish_api_credit.so.${version%%.*}" "lib/libfish_api_credit.so.$version"
    readelf -d "$(built c)" | grep -qF libfish_api_credit.so
  else
    holds lib/libfish_api_credit.a
    ! readelf -d "$(built c)" | grep -F libfish_api_credit.so || exit 1
  fi
done

echo "+ a program by pkg-config"
conan install --requires "fish-api-credit/$version" -g PkgConfigDeps -of "$work/generated" >"$work/log" 2>&1 ||
  { cat "$work/log" >&2; exit 1; }
export PKG_CONFIG_PATH=$work/generated
[ "$(pkg-config --modversion fish_api_credit)" = "$version" ]
cc tests/install/main.c $(pkg-config --cflags --libs fish_api_credit) -o "$work/program"
"$work/program"

echo "+ across to aarch64 and to Windows"
cat >"$work/aarch64" <<'END'
include(default)
[settings]
arch=armv8
[conf]
tools.build:compiler_executables={"c": "aarch64-linux-gnu-gcc", "cpp": "aarch64-linux-gnu-g++"}
END
cat >"$work/windows" <<'END'
include(default)
[settings]
os=Windows
[conf]
tools.build:compiler_executables={"c": "x86_64-w64-mingw32-gcc-posix", "cpp": "x86_64-w64-mingw32-g++-posix"}
END
for shared in True False; do
  create -pr:h "$work/aarch64" -o "$option:shared=$shared"
  LD_LIBRARY_PATH='' qemu-aarch64 -L /usr/aarch64-linux-gnu -E \
    LD_LIBRARY_PATH="$(sed -n 's/^Package folder //p' "$work/log")/lib" "$(built c)" | grep -F "$version, 0 wrong"
  create -pr:h "$work/windows" -o "$option:shared=$shared"
  if [ $shared = True ]; then
    holds bin/fish_api_credit.dll lib/fish_api_credit.def lib/libfish_api_credit.dll.a
  else
    holds lib/libfish_api_credit.a
  fi
  file=$(built c.exe)
  [ "$(head -c 2 "$file")" = MZ ]
done

echo "+ the other archives, packaged"
package() { # package NAME ARGUMENTS...: shared and static; NAME is how the shared library's file begins.
  create -tf "" -o "$option:shared=False" "${@:2}"
  holds lib/libfish_api_credit.a
  create -tf "" -o "$option:shared=True" "${@:2}"
  files | grep -q "^lib/$1"
}
for arch in x86_64 armv8; do
  package libfish_api_credit.0.dylib -s os=Macos -s arch=$arch -s compiler=apple-clang -s compiler.version=15 \
    -s compiler.libcxx=libc++
  if compgen -G "$release/fish-api-credit-$version-${arch/armv8/aarch64}-*-musl.tar.gz" >/dev/null; then
    package libfish_api_credit.so -s arch=$arch -o "$option:libc=musl"
  fi
done

echo "+ refused: a changed archive, an unknown system, MSVC"
mkdir "$work/changed"
cp "$release/fish-api-credit-$version"-*-*-*.tar.gz "$work/changed"
for file in "$work/changed"/*; do
  echo changed >>"$file"
done
archives=$work/changed refused "sha256 hash failed" -o "$option:shared=True"
refused "there is no release archive for riscv64-unknown-linux-gnu" -s arch=riscv64
refused "MinGW" -s os=Windows -s compiler=msvc -s compiler.version=194 -s compiler.runtime=dynamic
echo "conan: all passed"
