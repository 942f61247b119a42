#!/usr/bin/env bash
# Makes a Python wheel for each release archive: the package of examples/python with the archive's library inside. No
# compiler is needed; hatchling makes them, in a Python environment of its own (target/packages/python).
#
#   packaging/wheels.sh ARCHIVES OUT
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/from-archives

hatchling=1.33.0
python=target/packages/python/bin/python
if ! "$python" -c "import importlib.metadata as it; assert it.version('hatchling') == '$hatchling'" 2>/dev/null; then
  python3 -m venv --clear target/packages/python
  "$python" -m pip install -q "hatchling==$hatchling"
fi
python=$PWD/$python

# The platform of the archive in $tree, as pip calls it.
platform() {
  local cpu=${1%%-*} needed
  case $1 in
  *-linux-gnu)
    needed=manylinux_$(needed glibc | tr . _)_$cpu
    # An older pip knows this one by another name.
    [[ $needed != manylinux_2_17_* ]] || needed=manylinux2014_$cpu.$needed
    echo "$needed"
    ;;
  *-linux-musl) echo "musllinux_$(needed musl | cut -d. -f1,2 | tr . _)_$cpu" ;;
  x86_64-pc-windows-gnu) echo win_amd64 ;;
  *-apple-darwin) echo "macosx_$(needed macOS | tr . _)_${cpu/aarch64/arm64}" ;;
  *) fail "$1 has no name in Python" ;;
  esac
}

targets=$(targets)
for target in $targets; do
  unpack "$target"
  platform=$(platform "$target")
  library=$(shared_library)
  source=$work/$target
  mkdir -p "$source/fish_api_credit"
  cp examples/python/fish_api_credit/{*.py,py.typed} "$source/fish_api_credit"
  # By the name that the package looks for: the one that programs are linked by.
  case $target in
  *-linux-*) name_inside=libfish_api_credit.so.${version%%.*} ;;
  *-apple-*) name_inside=libfish_api_credit.${version%%.*}.dylib ;;
  *) name_inside=${library##*/} ;;
  esac
  install -m 755 "$library" "$source/fish_api_credit/$name_inside"
  cp "$tree"/share/licenses/fish-api-credit/* "$tree/THIRD-PARTY" "$source"
  readme docs/python.md "$source"
  cp packaging/wheel.py "$source/hatch_build.py"
  sed '/^\[project\]$/a readme = "README.md"\nlicense-files = ["LICENSE-*", "THIRD-PARTY"]' examples/python/pyproject.toml \
    >"$source/pyproject.toml"
  printf '\n[tool.hatch.build.targets.wheel.hooks.custom]\nplatform = "%s"\n' "$platform" >>"$source/pyproject.toml"
  wheel=$(cd "$source" && "$python" -m hatchling build -t wheel -d "$out" 2>&1 | tail -n 1)
  [ -f "$wheel" ] || fail "$target: $wheel"
  echo "$wheel: $(stat -c %s "$wheel") bytes"
done
