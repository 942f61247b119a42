# Sourced by the scripts here.

# need THING PACKAGE [THING PACKAGE]...: installs the Debian packages whose things are missing, and nothing that is
# only recommended. A thing is a command, or the path of a file, which may hold wildcards.
need() {
  local packages=() things=("$@") i
  there() { case $1 in */*) compgen -G "$1" >/dev/null ;; *) command -v "$1" >/dev/null ;; esac }
  for ((i = 0; i < ${#things[@]}; i += 2)); do
    there "${things[i]}" || packages+=("${things[i + 1]}")
  done
  [ ${#packages[@]} -gt 0 ] || return 0
  echo "+ apt-get install ${packages[*]}"
  # One script at a time: apt waits for nobody while it reads its lists.
  flock --close "${BASH_SOURCE[0]}" sh -euc 'apt-get -o DPkg::Lock::Timeout=600 update -qq
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -qq -y --no-install-recommends "$@"' - \
    "${packages[@]}" >/dev/null
  for ((i = 0; i < ${#things[@]}; i += 2)); do
    there "${things[i]}" || { echo "${things[i]} is not in the package ${things[i + 1]}" >&2; return 1; }
  done
}
