#!/usr/bin/env bash
# Makes the packages fish-api-credit, -libs, -devel and -static for Fedora and its relatives, for each of x86_64 and
# aarch64 whose release archive is there. The libraries are the archive's own; only the command is compiled, by gcc.
#
#   packaging/rpm.sh ARCHIVES OUT
#
# Needs rpmbuild, pkg-config, cmake, gcc, and for aarch64 gcc-aarch64-linux-gnu. The same archives, compiler and rpmbuild
# give the same bytes. What the packages are is in packaging/rpm.
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/from-archives
. packaging/source-tree

# Nothing of who builds, where and when.
unset CC CFLAGS CPPFLAGS LDFLAGS DESTDIR
export HOME=$work TZ=UTC LC_ALL=C.UTF-8

# Without it, rpmbuild finds less to say of a .pc file, in silence.
command -v pkg-config >/dev/null || fail "there is no pkg-config"
found=$(targets)
made=
for cpu in x86_64 aarch64; do
  target=$cpu-unknown-linux-gnu
  grep -qx "$target" <<<"$found" || continue
  unpack "$target"
  source=$work/$cpu/fish-api-credit-$version
  source_tree "$source"
  echo "+ rpmbuild --target $cpu-linux"
  # As Fedora compiles; the paths of this machine are in nothing.
  flags="-O2 -g -s -Wall -Wformat -Werror=format-security -D_FORTIFY_SOURCE=2 -fstack-protector-strong"
  flags+=" -fPIE -pie -Wl,-z,relro,-z,now -ffile-prefix-map=$source=."
  (cd "$source" && rpmbuild -bb --build-in-place --target "$cpu-linux" \
    --define "_topdir $work/$cpu/rpmbuild" --define "_buildhost release" --define "use_source_date_epoch_as_buildtime 1" \
    --define "clamp_mtime_to_source_date_epoch 1" --define "_binary_payload w19.zstdio" \
    --define "fish_version ${version/-/\~}" --define "fish_compiler $cpu-linux-gnu-gcc" --define "fish_flags $flags" \
    --define "fish_date $(date -d "@$SOURCE_DATE_EPOCH" '+%a %b %d %Y')" \
    packaging/rpm/fish-api-credit.spec) >"$work/$cpu/log" 2>&1 || { cat "$work/$cpu/log" >&2; fail "$cpu fails"; }
  for file in "$work/$cpu/rpmbuild/RPMS/$cpu"/*.rpm; do
    mv "$file" "$out"
    file=$out/${file##*/}
    echo "$file: $(stat -c %s "$file") bytes"
  done
  made=yes
done
[ -n "$made" ] || fail "no archive for a Linux with glibc in $archives"
