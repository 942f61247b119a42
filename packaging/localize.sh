#!/bin/sh
# Makes a static library of ELF objects that defines the header's functions and no other global symbol, so that it
# meets the static libraries of other Rust projects in one program: each brings Rust's own library with it.
#
#   packaging/localize.sh BUILT.a RESULT.a [OPTIONS OF OBJCOPY, such as --strip-debug]
#
# All that the header's functions reach becomes one object, whose other symbols are then made local. Sections stay
# apart, so that a program's own --gc-sections still works. The same input gives the same bytes.
# LD, OBJCOPY and AR name the tools of GNU binutils. (--force-group-allocation, because a group of sections would be
# shared with another library's of the same name.) UNWINDER may name a folder that packaging/musl/unwinder.sh filled:
# the library then has that unwinder inside.
set -eu
header=$(dirname "$0")/../include/fish_api_credit.h
built=$1 result=$2
shift 2

if ! "${LD:-ld}" --help | grep -q -e --force-group-allocation; then
  echo "localize.sh: ${LD:-ld} has no --force-group-allocation; name GNU ld in LD" >&2
  exit 1
fi
roots=$(grep -o '\bfish_[a-z_]*(' "$header" | tr -d '(' | LC_ALL=C sort -u | sed 's/^/--undefined=/')
# Beside the result, so that renaming puts it there whole, whoever else makes the same one now.
folder=$(mktemp -d "$(dirname "$result")/localize.XXXXXX")
trap 'rm -rf "$folder"' EXIT
# shellcheck disable=SC2086 # One option a function.
"${LD:-ld}" -r --force-group-allocation --gc-sections $roots \
  ${UNWINDER:+"$UNWINDER/frames.o"} "$built" ${UNWINDER:+"$UNWINDER/libunwind.a"} -o "$folder/fish_api_credit.o"
# Rust's own library has LLVM's intermediate code beside the compiled: it is as large, and of no use to a linker. A
# symbol that nothing refers to any more goes too: undefined, it would ask a program for what it need not have. The
# functions that packaging/valgrind.supp names keep their names, as local symbols.
"${OBJCOPY:-objcopy}" --wildcard --keep-global-symbol='fish_*' --keep-symbol='fish_*' --strip-unneeded-symbol='*' \
  --keep-symbol='*4ring4aead*open_within*' --keep-symbol='*6rustls6vecbuf14ChunkVecBuffer*write_to*' \
  --remove-section=.llvmbc --remove-section=.llvmcmd "$@" "$folder/fish_api_credit.o"
"${AR:-ar}" rcsD "$folder/result.a" "$folder/fish_api_credit.o"
mv "$folder/result.a" "$result"
