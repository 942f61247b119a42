#!/usr/bin/env bash
# Writes the notice that a program must carry which ships this library in binary form: every crate that is linked
# into it, Rust's own library included, with its licence and the licence's text. Made from Cargo.lock and the
# sources that cargo built from, so that it cannot fall behind.
#
#   packaging/third-party.sh [TARGET [OPTIONS OF CARGO TREE]] > THIRD-PARTY
#
# For the machine's own target and default features if none are named. FISH_RUNTIME may name what a C compiler adds, a
# line each: name|licence|where it comes from|the file with its text. tests/notice.rs proves it whole.
set -euo pipefail

cd "$(dirname "$0")/.."
target=${1:-$(rustc -vV | sed -n 's/^host: //p')}
shift $(($# > 0 ? 1 : 0))

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/texts" "$scratch/std"

fail() {
  echo "third-party.sh: $*" >&2
  exit 1
}

# Puts a licence text away once, and says under which number.
number_of() {
  local text=$scratch/text sum
  sed -e 's/\r$//' -e 's/[[:space:]]*$//' "$1" | sed -e '/./,$!d' >"$text"
  [ -s "$text" ] || fail "$1 is empty"
  sum=$(cksum <"$text" | tr ' ' -)
  if ! cmp -s "$text" "$scratch/texts/$sum"; then
    [ ! -e "$scratch/texts/$sum" ] || fail "two texts have the checksum $sum"
    mv "$text" "$scratch/texts/$sum"
    echo "$sum" >>"$scratch/order"
  fi
  grep -nx -e "$sum" "$scratch/order" | cut -d: -f1
}

# One entry of the list: name and version, licence, where it comes from, and the numbers of its texts, whose
# files are read from standard input.
entry() {
  local name=$1 licence=$2 from=$3 numbers= number file
  while IFS= read -r file; do
    number=$(number_of "$file")
    numbers+=" [$number]"
  done
  [ -n "$licence" ] || fail "$name names no licence"
  [ -n "$numbers" ] || fail "$name has no licence text"
  printf '%s\n    %s\n    %s\n   %s\n' "$name" "$licence" "$from" "$numbers"
}

# ---- The crates of the lock file that are linked --------------------------------------------------------------
cargo metadata --locked --format-version 1 --filter-platform "$target" |
  grep -o '"manifest_path":"[^"]*Cargo.toml"' | cut -d'"' -f4 | sed 's|/Cargo.toml$||' >"$scratch/folders"
cargo tree --locked --package fish-api-credit-capi --target "$target" --edges normal,no-proc-macro --prefix none --no-dedupe \
  --format '{p}|{l}|{r}' "$@" | sort -u >"$scratch/crates"
[ "$(wc -l <"$scratch/crates")" -gt 1 ] || fail "cargo tree lists no crates"

while IFS='|' read -r package licence repository; do
  read -r name version _ <<<"$package"
  [[ $name != fish-api-credit* ]] || continue
  folder=$(grep -x ".*/$name-${version#v}" "$scratch/folders" | head -n 1) || fail "no source of $package"
  find "$folder" -type f \( -iname 'licen[sc]e*' -o -iname 'copying*' -o -iname 'notice*' -o -iname 'unlicense*' \
    -o -iname 'copyright*' \) ! -name '*.rs' | LC_ALL=C sort |
    entry "$name ${version#v}" "$licence" "${repository:-https://crates.io/crates/$name}"
done <"$scratch/crates" >"$scratch/list"

# ---- Rust's own library, which is linked into every Rust library ----------------------------------------------
notices=$(rustc --print sysroot)/share/doc/rust/COPYRIGHT-library.html
[ -f "$notices" ] || fail "no $notices: take Rust from rustup, or add its notice by hand"
# Its page is for a browser: each crate has a heading, and each of its texts a <pre>.
awk -v folder="$scratch/std" '
  /^ *<h3>/       { crate = $0; gsub(/^ *<h3>[^a-z]*|<\/h3>.*/, "", crate); licence = "" }
  /<b>License:/   { licence = $0; gsub(/.*<\/b> *|<\/p>.*/, "", licence)
                    if (crate != "") print crate "|" licence > (folder "/crates") }
  /^ *<pre>/      { text = folder "/" crate "-" (++count) ".text"; inside = 1; next }
  /^ *<\/pre>/    { inside = 0; close(text) }
  inside          { gsub(/&#34;/, "\""); gsub(/&#39;/, "\047"); gsub(/&#60;/, "<"); gsub(/&#62;/, ">")
                    gsub(/&#38;|&amp;/, "\\&"); print > text }
' "$notices"
[ -s "$scratch/std/crates" ] || fail "$notices does not look as it did"
# On that page, and not in a library like this one: what only builds or tests std, and what other systems' std has.
elsewhere=" cc shlex getopts rand rand_core rand_xorshift rustc-literal-escaper dlmalloc fortanix-sgx-abi hermit-abi \
moto-rt r-efi r-efi-alloc unwinding vex-sdk wasi wit-bindgen "
apache() { entry "$1" "$2" "$3" <<<LICENSE-APACHE; }
{
  apache "std, core, alloc, panic_unwind, unwind, std_detect, rustc_std_workspace ($(rustc --version))" \
    "MIT OR Apache-2.0" https://github.com/rust-lang/rust
  # What is built into std and not on that page; each is taken under the Apache licence.
  apache compiler_builtins "MIT AND Apache-2.0 WITH LLVM-exception AND (MIT OR Apache-2.0)" \
    https://github.com/rust-lang/compiler-builtins
  apache addr2line "Apache-2.0 OR MIT" https://github.com/gimli-rs/addr2line
  apache object "Apache-2.0 OR MIT" https://github.com/gimli-rs/object
  apache miniz_oxide "MIT OR Zlib OR Apache-2.0" https://github.com/Frommi/miniz_oxide
  apache adler2 "0BSD OR MIT OR Apache-2.0" https://github.com/oyvindln/adler2
  while IFS='|' read -r crate licence; do
    name=${crate%%-[0-9]*}
    case "$name $elsewhere$target" in
      windows*windows*) ;;
      windows*) continue ;;
      *) [[ $elsewhere != *" $name "* ]] || continue ;;
    esac
    find "$scratch/std" -name "$crate-*.text" | LC_ALL=C sort |
      entry "$name ${crate#"$name-"}" "$licence" "https://crates.io/crates/$name"
  done <"$scratch/std/crates"
} >"$scratch/std-list"

# ---- What a C compiler adds -----------------------------------------------------------------------------------
: >"$scratch/runtime-list"
if [ -n "${FISH_RUNTIME:-}" ]; then
  printf "\n==== The C compiler's libraries ====\n\n" >"$scratch/runtime-list"
  while IFS='|' read -r name licence from text; do
    [ -f "$text" ] || fail "no $text"
    entry "$name" "$licence" "$from" <<<"$text" >>"$scratch/runtime-list"
  done <<<"$FISH_RUNTIME"
fi

# ---- The notice -----------------------------------------------------------------------------------------------
cat <<END
fish-api-credit is under the MIT or the Apache-2.0 licence, at your choice. In binary form, for $target, it contains
what is listed below, each under the licence that stands with it. The numbers are those of the texts at the end.
Where one offers a choice, any one of its licences is enough.

==== Crates ====

$(cat "$scratch/list")

==== Rust's own library ====

$(cat "$scratch/std-list" "$scratch/runtime-list")

==== Texts ====
END
number=0
while IFS= read -r sum; do
  number=$((number + 1))
  printf '\n---- [%s] ----\n\n' "$number"
  cat "$scratch/texts/$sum"
done <"$scratch/order"
