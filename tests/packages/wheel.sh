#!/usr/bin/env bash
# The Python wheels of a release: what they say of themselves, which of them pip takes on each platform, and a program
# with what pip installed, in a Debian without a compiler; for aarch64 by a Python under qemu. Needs root.
#
#   tests/packages/wheel.sh RELEASE
. "${BASH_SOURCE[0]%/*}/support"
need python3 python3 '/usr/lib/python3*/ensurepip' python3-venv qemu-aarch64 qemu-user objdump binutils \
  patchelf patchelf \
  /usr/share/python-wheels python3-pip-whl

# A wheel's platform, as its name has it, and the target of the archive that it is made from.
declare -A platforms=(
  [manylinux2014_x86_64.manylinux_2_17_x86_64]=x86_64-unknown-linux-gnu
  [manylinux2014_aarch64.manylinux_2_17_aarch64]=aarch64-unknown-linux-gnu
  [musllinux_1_2_x86_64]=x86_64-unknown-linux-musl
  [musllinux_1_2_aarch64]=aarch64-unknown-linux-musl
  [win_amd64]=x86_64-pc-windows-gnu
  [macosx_11_0_arm64]=aarch64-apple-darwin
  [macosx_10_12_x86_64]=x86_64-apple-darwin
)
wheel_of() { echo "fish_api_credit-$version-py3-none-$1.whl"; }
wheels=()
for platform in "${!platforms[@]}"; do
  wheels+=("$(wheel_of "$platform")")
  [ -e "$release/${wheels[-1]}" ] || fail "the release has no ${wheels[-1]}"
done

tools=target/packages/tools
versions="auditwheel==6.8.2 mypy==2.4.1 twine==7.0.0 wheel==0.48.0"
if [ "$(cat $tools/versions 2>/dev/null)" != "$versions" ]; then
  python3 -m venv --clear $tools
  # shellcheck disable=SC2086
  $tools/bin/pip install -q $versions
  echo "$versions" >$tools/versions
fi
tools=$PWD/$tools/bin

# ---- What the wheels are ---------------------------------------------------------------------------------------
the_same_again packaging/wheels.sh "${wheels[@]}"
echo "+ twine check --strict"
(cd "$release" && "$tools/twine" --no-color check --strict "${wheels[@]}")
for platform in "${!platforms[@]}"; do
  wheel=$(wheel_of "$platform")
  target=${platforms[$platform]}
  # Unpacking holds each file to its hash in RECORD.
  "$tools/wheel" unpack -d "$work/$target" "$release/$wheel" >/dev/null
  tar -C "$work/$target" -xzf "$release/fish-api-credit-$version-$target.tar.gz"
  tree=$work/$target/fish-api-credit-$version-$target
  package=$work/$target/fish_api_credit-$version
  case $target in
  *-linux-*) library=lib/libfish_api_credit.so.$version name=libfish_api_credit.so.0 ;;
  *-darwin) library=lib/libfish_api_credit.$version.dylib name=libfish_api_credit.0.dylib ;;
  *) library=bin/fish_api_credit.dll name=fish_api_credit.dll ;;
  esac
  cmp "$tree/$library" "$package/fish_api_credit/$name"
  diff <(cd examples/python/fish_api_credit && ls -- *.py py.typed) \
    <(cd "$package/fish_api_credit" && ls | grep -v -F "$name")
  for notice in THIRD-PARTY share/licenses/fish-api-credit/LICENSE-MIT share/licenses/fish-api-credit/LICENSE-APACHE; do
    cmp "$tree/$notice" "$package/fish_api_credit-$version.dist-info/licenses/${notice##*/}"
  done
  for field in 'License-Expression: MIT OR Apache-2.0' 'Requires-Python: >=3.9' 'License-File: THIRD-PARTY'; do
    grep -qxF "$field" "$package/fish_api_credit-$version.dist-info/METADATA" || fail "$wheel does not say: $field"
  done
  case $target in
  *-linux-*)
    audited=$release/$wheel
    if [[ $target == *-musl ]]; then
      # auditwheel knows musl by the name that Alpine gives it; musl itself, Alpine's too, is libc.so. A copy has the other.
      patchelf --replace-needed libc.so "libc.musl-${target%%-*}.so.1" "$package/fish_api_credit/$name"
      "$tools/wheel" pack -d "$work" "$package" >/dev/null
      audited=$work/$wheel
    fi
    echo "+ auditwheel show $wheel"
    "$tools/auditwheel" show "$audited" >"$work/shown" 2>&1
    tr '\n' ' ' <"$work/shown" | grep -qF "following platform tag: \"${platform##*.}\"" ||
      { cat "$work/shown" >&2; fail "auditwheel finds $wheel to be for another platform"; }
    ;;
  *-windows-*)
    objdump -p "$package/fish_api_credit/$name" >"$work/shown"
    grep -q 'file format pei-x86-64' "$work/shown" || fail "$name is not for x86_64 Windows"
    # What it needs is Windows': nothing of the compiler that made it.
    needed=$(sed -n 's/.*DLL Name: //p' "$work/shown" | tr '[:upper:]' '[:lower:]' | sort -u)
    echo "$name needs $(echo $needed)"
    ! grep -E 'libgcc|libwinpthread|libstdc' <<<"$needed" || fail "$name needs a library of MinGW's"
    ;;
  esac
done

# ---- Which of them pip takes -------------------------------------------------------------------------------------
while read -r asked wanted; do
  echo "+ pip download --platform $asked"
  "$tools/pip" download -q --no-index --find-links "$release" --only-binary :all: --platform "$asked" \
    --python-version 3.9 -d "$work/taken-$asked" fish-api-credit
  [ "$(ls "$work/taken-$asked")" = "$(wheel_of "$wanted")" ] || fail "pip takes $(ls "$work/taken-$asked") for $asked"
done <<'LIST'
manylinux2014_x86_64 manylinux2014_x86_64.manylinux_2_17_x86_64
manylinux_2_17_x86_64 manylinux2014_x86_64.manylinux_2_17_x86_64
manylinux2014_aarch64 manylinux2014_aarch64.manylinux_2_17_aarch64
musllinux_1_2_x86_64 musllinux_1_2_x86_64
musllinux_1_2_aarch64 musllinux_1_2_aarch64
win_amd64 win_amd64
macosx_11_0_arm64 macosx_11_0_arm64
macosx_14_0_arm64 macosx_11_0_arm64
macosx_10_12_x86_64 macosx_10_12_x86_64
macosx_13_0_x86_64 macosx_10_12_x86_64
LIST

# ---- A program with it, without a compiler ------------------------------------------------------------------------
start_sandbox
cp "$here/wheel.py" "$work"
debian python python3 python3-venv
no_compiler
downloads
echo "+ the commands of docs/install.md, and a program, in a Debian without a compiler"
inside --bind "$release" bash -euc '
  version=$1 folder=$2
  '"$(lines Python)"'
  pip check
  python "$3" "$version"
  fish-credit --version
  [ "$(fish-credit --version)" = "fish-credit $version, library $version" ]
  pip uninstall -q -y fish-api-credit
  ! ls -d venv/lib/python3*/site-packages/fish_api_credit* venv/bin/fish-credit 2>/dev/null
' - "$version" "$folder" "$work/wheel.py"

# ---- Its types, as mypy finds them in what is installed --------------------------------------------------------------
python3 -m venv --without-pip "$work/typed"
"$tools/pip" --python "$work/typed/bin/python" install -q --no-index --find-links "$release" fish-api-credit
cat >"$work/typed.py" <<'PROGRAM'
from fish_api_credit import Client, __version__
reveal_type(Client().api_credit().credit)
reveal_type(__version__)
PROGRAM
echo "+ mypy --strict"
(cd "$work" && "$tools/mypy" --strict --python-executable "$work/typed/bin/python" typed.py | tee shown)
grep -q 'Revealed type is "decimal.Decimal"' "$work/shown" || fail "mypy does not see the package's types"

# ---- On aarch64 -------------------------------------------------------------------------------------------------------
arm64=$trees/python-arm64
if [ ! -e "$arm64/made" ]; then
  echo "+ apt-get download python3.11:arm64"
  rm -rf "$arm64"
  mkdir -p "$arm64/packages"
  # Unpacked, and not installed: their own programs cannot be run here.
  in_tree "$tree" --bind "$arm64/packages" sh -euc '
    cd "$1"
    dpkg --add-architecture arm64
    trap "dpkg --remove-architecture arm64" EXIT
    apt-get update -qq
    for package in libc6 libexpat1 libffi8 libpython3.11-minimal libpython3.11-stdlib libssl3 python3.11-minimal zlib1g \
      liblzma5 libbz2-1.0 libuuid1 libgcc-s1; do
      apt-get -qq -o APT::Sandbox::User=root download $package:arm64 >/dev/null
    done' - "$arm64/packages"
  mkdir -p "$arm64/usr/lib"
  ln -s usr/lib "$arm64/lib"
  for package in "$arm64"/packages/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -C "$arm64" -x --keep-directory-symlink
  done
  touch "$arm64/made"
fi
python_arm64=(qemu-aarch64 -L "$arm64" "$arm64/usr/bin/python3.11")
echo "+ pip install, and a program, by a Python for aarch64"
"${python_arm64[@]}" "$(compgen -G '/usr/share/python-wheels/pip-*.whl')/pip" install -q --no-index \
  --find-links "$release" --target "$work/arm64" fish-api-credit
readelf -h "$work/arm64/fish_api_credit/libfish_api_credit.so.0" | grep 'Machine: *AArch64'
FISH_BASE_URL=$sandbox FISH_API_KEY=sandbox-key PYTHONPATH=$work/arm64 "${python_arm64[@]}" "$work/wheel.py" "$version" \
  --emulated
echo "wheel: all passed"
