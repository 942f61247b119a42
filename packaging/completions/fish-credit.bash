# bash completion for fish-credit. SPDX-License-Identifier: MIT OR Apache-2.0

_fish_credit() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  # Bash takes the sign of --user=ID for a word of its own.
  [[ $word != = ]] || word=
  [[ $before != = ]] || before=${COMP_WORDS[COMP_CWORD - 2]}
  case $before in
  --user)
    mapfile -t COMPREPLY < <(compgen -W self -- "$word")
    ;;
  --team | --low | --interval | --base-url | --timeout) ;; # what these take is not known here
  *)
    mapfile -t COMPREPLY < <(compgen -W '--user --team --check-free-credit --low --watch --interval --json
      --prometheus --base-url --timeout --version --help' -- "$word")
    ;;
  esac
}
complete -F _fish_credit fish-credit
