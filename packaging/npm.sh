#!/usr/bin/env bash
# Makes the npm package of examples/node with the libraries of all release archives inside: one file for every platform,
# so that what is installed from a release's files, or from a lock file on another system, has what it needs. No compiler
# is needed; npm packs it.
#
#   packaging/npm.sh ARCHIVES OUT
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/from-archives

source=$work/fish-api-credit
mkdir "$source"
cp -r examples/node/{bin,lib,index.d.ts,index.js,package.json} LICENSE-MIT LICENSE-APACHE "$source"
readme docs/node.md "$source"
targets=$(targets)
for target in $targets; do
  unpack "$target"
  library=$(shared_library)
  # As Node calls the platform, and the library by the name that programs are linked by (lib/native.js).
  cpu=${target%%-*}
  cpu=${cpu/x86_64/x64}
  cpu=${cpu/aarch64/arm64}
  case $target in
  *-linux-gnu) platform=linux-$cpu file=libfish_api_credit.so.${version%%.*} ;;
  *-linux-musl) platform=linux-$cpu-musl file=libfish_api_credit.so.${version%%.*} ;;
  *-windows-*) platform=win32-$cpu file=fish_api_credit.dll ;;
  *-apple-darwin) platform=darwin-$cpu file=libfish_api_credit.${version%%.*}.dylib ;;
  *) fail "$target has no name in Node" ;;
  esac
  mkdir -p "$source/native/$platform"
  install -m 644 "$library" "$source/native/$platform/$file"
  cp "$tree/THIRD-PARTY" "$source/native/$platform"
done
# Each file as it would be in any checkout; npm packs it with one time and owner.
chmod -R u=rwX,go=rX "$source"
package=$out/$(cd "$source" && npm pack --silent --ignore-scripts --pack-destination "$out")
echo "$package: $(stat -c %s "$package") bytes"
