#!/usr/bin/env bash
# Compiles the unwinder that goes into the static library for musl: LLVM's, from the sources that come with zig. A
# fully static program has no libgcc_s to take one from, and the libgcc_eh of a glibc compiler does not link with musl.
#
#   packaging/musl/unwinder.sh TARGET FOLDER      leaves frames.o and libunwind.a in FOLDER
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=$1 folder=$2

zig=$(python3 -c 'import os, ziglang; print(os.path.dirname(ziglang.__file__))')
sources=$zig/lib/libunwind
flags=(-target "${target/-unknown/}" -c -Os -g0 -fPIC -fvisibility=hidden -funwind-tables -ffunction-sections
  -fdata-sections "-ffile-prefix-map=$zig=/zig")
# The panics of one library are all that it unwinds. It logs nothing (NDEBUG), and its symbols are not for others.
unwind=(-I "$sources/include" -DNDEBUG -D_LIBUNWIND_IS_NATIVE_ONLY -D_LIBUNWIND_HIDE_SYMBOLS
  -Ddl_iterate_phdr=program_dl_iterate_phdr)

mkdir -p "$folder"
rm -f "$folder/libunwind.a"
python3 -m ziglang cc "${flags[@]}" -std=c99 -Wall -Wextra -Werror "$here/frames.c" -o "$folder/frames.o"
python3 -m ziglang c++ "${flags[@]}" "${unwind[@]}" -std=c++17 -nostdinc++ -fno-exceptions -fno-rtti \
  "$sources/src/libunwind.cpp" -o "$folder/libunwind.o"
objects=("$folder/libunwind.o")
for source in UnwindLevel1.c UnwindLevel1-gcc-ext.c UnwindRegistersRestore.S UnwindRegistersSave.S; do
  python3 -m ziglang cc "${flags[@]}" "${unwind[@]}" "$sources/src/$source" -o "$folder/${source%.*}.o"
  objects+=("$folder/${source%.*}.o")
done
"${AR:-ar}" rcsD "$folder/libunwind.a" "${objects[@]}"
