#!/usr/bin/env bash
# All files of a release, made as they are published, and each package tried where its users are: in a Debian without a
# compiler, in an empty root, in a tree of rpm's, in a store of Conan's, under qemu and under Wine. The commands of
# docs/install.md are what is typed there. Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."

. .ci/packages.sh
# What packaging/release.sh takes: for the archives, and then for the packages.
need cc gcc /usr/include/stdio.h libc6-dev git git clang clang cmake cmake make make /usr/bin/cargo cargo-web \
  aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu /usr/aarch64-linux-gnu/include/stdio.h libc6-dev-arm64-cross \
  x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64-posix lld lld llvm-objdump llvm python3 python3 \
  '/usr/lib/python3*/ensurepip' python3-venv /usr/lib/rustlib/src/rust/library rust-web-src /usr/bin/rustc rustc-web \
  dh debhelper dpkg-buildpackage dpkg-dev rpmbuild rpm pkg-config pkg-config node nodejs npm npm

release=$PWD/target/release-files
rm -rf "$release"
packaging/release.sh "$release"
for test in tests/packages/*.sh; do
  echo "+ $test"
  begun=$SECONDS
  bash "$test" "$release"
  echo "$((SECONDS - begun)) s: $test"
done
