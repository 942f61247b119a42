#!/usr/bin/env bash
# Links for macOS where there is no Apple SDK: by LLVM, with the description of the system's libraries that
# comes with zig. Unlike zig's linker it keeps to the list of exported symbols that rustc gives. It signs ad hoc.
set -euo pipefail

stubs=$(python3 -c 'import os, ziglang; print(os.path.dirname(ziglang.__file__))')/lib/libc/darwin/libSystem.tbd
arch= before=
for argument in "$@"; do
  [ "$before" != -arch ] || arch=$argument
  before=$argument
done

libraries=$(mktemp -d)
trap 'rm -rf "$libraries"' EXIT
# LLVM 14 does not know arm64e.x1, and takes what is described for arm64e for something else than arm64.
sed -e ':all;N;$!b all' -e 's/,[ \n]*arm64e\.x1-[a-z]*//g' -e 's/arm64-mac[a-z]*, *//g' -e 's/arm64e-/arm64-/g' \
  "$stubs" >"$libraries/libSystem.tbd"
# These are parts of it on macOS too.
ln -s libSystem.tbd "$libraries/libc.tbd"
ln -s libSystem.tbd "$libraries/libm.tbd"
# rustc names it for the libc crate; nothing here calls it, and what is not called is not linked.
ln -s libSystem.tbd "$libraries/libiconv.tbd"

clang --target="$arch-apple-macos$MACOSX_DEPLOYMENT_TARGET" -fuse-ld=lld -B "$(dirname "$(readlink -f "$(command -v lld)")")" \
  -nodefaultlibs -L "$libraries" -Wl,-S "$@"
