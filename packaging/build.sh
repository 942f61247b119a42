#!/usr/bin/env bash
# Builds the release library as it is shipped: the same source, lock file, compiler and target give the same bytes,
# in whatever folder and under whatever home it is built (docs/reproducible.md).
#
#   packaging/build.sh [OPTIONS OF CARGO BUILD, such as --target aarch64-unknown-linux-gnu]
#
# This adds two things to `cargo build --release`. Flags name the folders of this machine by what they hold, so that
# no path of yours stands in the library; cargo has no place for them in Cargo.toml, and a configuration file cannot
# say "my home". And the static library of an ELF target keeps only the header's functions global
# (packaging/localize.sh; LD, OBJCOPY and AR name the target's binutils).
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
cargo_home=${CARGO_HOME:-$HOME/.cargo}
sysroot=$(rustc --print sysroot)
commit=$(rustc -vV | sed -n 's/^commit-hash: //p')

# Later ones win, so the widest stands first. A folder may be reached by two names: both are replaced.
rust_flags=()
c_flags=
remap() {
  local name
  for name in "$1" "$(cd "$1" 2>/dev/null && pwd -P || true)"; do
    if [ -n "$name" ]; then
      rust_flags+=("--remap-path-prefix=$name=$2")
      c_flags+=" $(printf %q "-ffile-prefix-map=$name=$2")"
    fi
  done
}
remap "$cargo_home" /cargo
for registry in "$cargo_home"/registry/src/*/; do
  remap "${registry%/}" /crates
done
remap "$sysroot/lib/rustlib/src/rust" "/rustc/$commit"
remap "$root" /fish-api-credit
target_folder=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target_folder"
remap "$target_folder" /target

# A path with a space in it survives only in the encoded form, which hides RUSTFLAGS: take both in.
encoded=${CARGO_ENCODED_RUSTFLAGS:-}
if [ -z "$encoded" ] && [ -n "${RUSTFLAGS:-}" ]; then
  encoded=$(tr -s ' ' '\037' <<<"$RUSTFLAGS" | tr -d '\n')
fi
for flag in "${rust_flags[@]}"; do
  encoded+=${encoded:+$'\x1f'}$flag
done
export CARGO_ENCODED_RUSTFLAGS=$encoded
# What the cc crate compiles, ring's C and assembly, is named in the same way.
export CFLAGS="${CFLAGS:-}$c_flags" CC_SHELL_ESCAPED_FLAGS=1

target=$(rustc -vV | sed -n 's/^host: //p')
folder=$target_folder/release
for ((i = 1; i <= $#; i++)); do
  case ${!i} in
  --target) next=$((i + 1)) target=${!next} folder=$target_folder/$target/release ;;
  --target=*) target=${!i#--target=} folder=$target_folder/$target/release ;;
  esac
done

cd "$root"
cargo build --release --package fish-api-credit-capi --locked "$@"
case $target in
*-windows-* | *-apple-*) ;;
*)
  # Another name for what cargo built: cargo looks at its own file to see whether there is something to do.
  packaging/localize.sh "$folder/deps/libfish_api_credit.a" "$folder/libfish_api_credit.a" --strip-debug
  ;;
esac
