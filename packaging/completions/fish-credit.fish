# fish completion for fish-credit. SPDX-License-Identifier: MIT OR Apache-2.0

complete -c fish-credit -f
complete -c fish-credit -l user -x -a self -d 'The owner of the wallet'
complete -c fish-credit -l team -x -d 'The API credit of this team'
complete -c fish-credit -l check-free-credit -d 'Also ask whether free credit is left'
complete -c fish-credit -l low -x -d 'The credit is low below this amount'
complete -c fish-credit -l watch -d 'Read it periodically, and print a line for each change'
complete -c fish-credit -l interval -x -d 'With --watch, seconds between two readings'
complete -c fish-credit -l json -d 'Print JSON'
complete -c fish-credit -l prometheus -d 'Print the text format of Prometheus'
complete -c fish-credit -l base-url -x -d 'Use another server'
complete -c fish-credit -l timeout -x -d 'The time limit in milliseconds'
complete -c fish-credit -l version -d 'Print the versions of the program and of the library'
complete -c fish-credit -s h -l help -d 'Print help'
