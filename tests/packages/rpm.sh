#!/usr/bin/env bash
# The packages for Fedora and its relatives, as far as a Debian can try them: rpmlint, and rpm with all its checks in a bare
# tree, where a package says what the tree's glibc has. The command is run there, programs are built by pkg-config and
# CMake, and nothing is left afterwards. Those for aarch64 are looked at, and their command is run under qemu.
#
#   tests/packages/rpm.sh RELEASE
#
# Needs root. Not shown by this: Fedora's own rpm, dnf and shells.
. "${BASH_SOURCE[0]%/*}/support"
need rpmbuild rpm rpmlint rpmlint cc gcc g++ g++ /usr/include/stdio.h libc6-dev cmake cmake make make \
  pkg-config pkg-config cpio cpio aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu \
  /usr/aarch64-linux-gnu/include/stdio.h libc6-dev-arm64-cross qemu-aarch64 qemu-user
command_says='API credit         12.34 US dollars'
rpm_version=${version/-/\~}

rpms=()
for cpu in aarch64 x86_64; do
  for part in "" -devel -libs -static; do
    rpms+=("fish-api-credit$part-$rpm_version-1.$cpu.rpm")
  done
done
rpm_of() { # rpm_of PART CPU
  echo "$release/fish-api-credit$1-$rpm_version-1.$2.rpm"
}
the_same_again packaging/rpm.sh $(printf '%s\n' "${rpms[@]}" | LC_ALL=C sort)

echo "+ rpmlint"
(cd "$release" && rpmlint -c "$here/../../packaging/rpm/rpmlint.toml" "${rpms[@]}") >"$work/lint" 2>&1 || true
grep -q '8 packages .* 0 errors, 0 warnings' "$work/lint" || { cat "$work/lint" >&2; fail "rpmlint complains"; }

for cpu in aarch64 x86_64; do
  # The libraries are those of the archive, whose checksums are published.
  mkdir -p "$work/$cpu"
  for part in "" -devel -libs -static; do
    (cd "$work/$cpu" && rpm2cpio "$(rpm_of "$part" $cpu)" | cpio -idm --quiet)
  done
  archive=fish-api-credit-$version-$cpu-unknown-linux-gnu
  tar -C "$work" -xzf "$release/$archive.tar.gz" "$archive/lib"
  for file in libfish_api_credit.a "libfish_api_credit.so.$version"; do
    cmp "$work/$archive/lib/$file" "$work/$cpu/usr/lib64/$file"
  done
  # What an old Fedora or a RHEL 7 has, and nothing else.
  needed=$(rpm -qp --requires "$(rpm_of -libs $cpu)" | sed -n 's/.*(GLIBC_\(.*\))(64bit)/\1/p' | sort -V | tail -n 1)
  [ "$needed" = 2.17 ] || fail "the library needs glibc $needed"
done

# ---- In a bare tree -------------------------------------------------------------------------------------------
start_sandbox
debian plain
cp -a "$tree" "$work/tree"
tree=$work/tree
in_it() {
  local outcome=0
  command rpm --root "$tree" --dbpath /var/lib/rpm "$@" 2>"$work/rpm-said" || outcome=$?
  grep -v -e 'RPM should not be used directly' -e 'However assuming' "$work/rpm-said" >&2 || true
  return $outcome
}
files() {
  (cd "$tree" && find . -path ./var/lib/rpm -prune -o -path ./tmp -prune -o -path ./etc/ld.so.cache -prune -o -print | LC_ALL=C sort)
}
# What other packages of Fedora own, and its loader looks into lib64.
mkdir -p "$tree"/usr/lib64/{cmake,pkgconfig} "$tree"/usr/share/{fish/vendor_completions.d,licenses,zsh/site-functions}
echo /usr/lib64 >"$tree/etc/ld.so.conf.d/lib64.conf"
# What the tree has, found as rpm finds it; and the pkg-config that a -devel asks for, which is this machine's here.
libraries=$(find "$tree/usr/lib/x86_64-linux-gnu" -name 'libc.so.6' -o -name 'libdl.so.2' -o -name 'libpthread.so.0')
{
  printf '%s\n' 'Name: tree' 'Version: 1' 'Release: 1' 'Summary: x' 'License: none' 'Provides: rtld(GNU_HASH)'
  for library in $libraries "$(realpath "$tree/usr/lib64/ld-linux-x86-64.so.2")"; do
    /usr/lib/rpm/elfdeps --provides "$library"
  done | sort -u | sed 's/^/Provides: /'
  printf '%s\n' 'Provides: /usr/bin/pkg-config' '%description' x '%files'
} >"$work/tree.spec"
rpmbuild -bb --quiet --define "_topdir $work/rpmbuild" "$work/tree.spec" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
no_compiler
files >"$work/before"

echo "+ the command does not come without its library"
if in_it -i "$(rpm_of "" x86_64)" 2>"$work/said"; then
  fail "the command was installed alone"
fi
grep 'libfish_api_credit.so.0()(64bit) is needed by' "$work/said"

echo "+ install, and run"
in_it -i "$work"/rpmbuild/RPMS/x86_64/tree-1-1.x86_64.rpm
# Typed here, but in the tree: it has no rpm. Fedora's loader needs no telling.
downloads
(
  rpm() { in_it "$@" && inside ldconfig; }
  fish-credit() { inside fish-credit "$@"; }
  FISH_BASE_URL=$sandbox
  eval "$(lines Fedora)"
) | grep -xF "$command_says"
in_it -V fish-api-credit fish-api-credit-libs

echo "+ the rest; again; a program by pkg-config, and by CMake"
in_it -i "$(rpm_of -devel x86_64)" "$(rpm_of -static x86_64)"
in_it -U --replacepkgs $(for part in "" -devel -libs -static; do rpm_of "$part" x86_64; done)
in_it -V fish-api-credit fish-api-credit-libs fish-api-credit-devel fish-api-credit-static
grep -qx 'prefix=/usr' "$tree/usr/lib64/pkgconfig/fish_api_credit.pc"
[ -s "$tree/usr/share/man/man1/fish-credit.1.gz" ]
export PKG_CONFIG_LIBDIR=$tree/usr/lib64/pkgconfig PKG_CONFIG_SYSROOT_DIR=$tree
[ "$(pkg-config --modversion fish_api_credit)" = "$version" ]
cc -Wall -Werror tests/install/main.c $(pkg-config --cflags --libs fish_api_credit) -o "$tree/program"
inside /program
cmake -S tests/install -B "$work/cmake" -DFISH_ROUTE=find_package \
  -DFishApiCredit_DIR="$tree/usr/lib64/cmake/FishApiCredit" >/dev/null
cmake --build "$work/cmake" >/dev/null
ctest --test-dir "$work/cmake" --no-tests=error --output-on-failure | grep '100% tests passed'
rm "$tree/program"

echo "+ erase: nothing is left"
in_it -e fish-api-credit fish-api-credit-libs fish-api-credit-devel fish-api-credit-static tree
inside ldconfig
files | diff "$work/before" -

# ---- aarch64 --------------------------------------------------------------------------------------------------
echo "+ aarch64: the command, under qemu"
FISH_API_KEY=sandbox-key qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH="$work/aarch64/usr/lib64" \
  "$work/aarch64/usr/bin/fish-credit" --base-url "$sandbox" | grep -xF "$command_says"
echo "rpm: all passed"
