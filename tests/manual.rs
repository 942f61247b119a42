//! The command's man page and its completions for shells say what --help says: the same options, the same of them with a
//! value, the same exit statuses. mandoc and man find no fault with the page, and each shell completes with the file as
//! it is installed.

#![cfg(unix)]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use support::c::{self, read, root};
use support::{child, command, credit, tools};

/// The options, each with the name of its value, or with nothing.
fn options() -> Vec<(String, String)> {
    let help = command::help();
    let lines = help.lines().filter_map(|line| line.strip_prefix("  --"));
    let options = lines.map(|line| {
        let (option, _) = line.split_once("  ").expect("an option and what it does");
        let (name, value) = option.split_once(' ').unwrap_or((option, ""));
        (format!("--{name}"), value.to_owned())
    });
    let options: Vec<_> = options.collect();
    assert!(options.len() >= 12, "{options:?}");
    options
}

fn names() -> BTreeSet<String> {
    options().into_iter().map(|(name, _)| name).collect()
}

/// Every `--name` in a text.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '-');
    words
        .map(|word| word.trim_end_matches('-'))
        .filter(|word| word.starts_with("--"))
        .map(String::from)
        .collect()
}

/// The exit statuses, each with what it means, in lower case and without markup.
fn statuses(lines: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    lines.map(|(status, meaning)| (status, meaning.to_lowercase().trim_end_matches('.').to_owned())).collect()
}

#[test]
fn the_program_takes_the_options_of_its_help() {
    let program = read("examples/c/fish-credit.c");
    let rows = program.split_once("options[] = {").unwrap().1.split_once("};").unwrap().0;
    let rows: Vec<&str> = rows.lines().filter(|line| line.trim().starts_with("{\"--")).collect();
    for (name, value) in options() {
        let row =
            rows.iter().find(|row| row.contains(&format!("{{\"{name}\","))).expect("a row of the program");
        assert_eq!(row.contains(", NULL, &"), !value.is_empty(), "{row}");
    }
    assert_eq!(rows.len(), options().len());
}

#[test]
fn the_man_page_says_what_the_help_says() {
    let page = read("packaging/fish-credit.1");
    let listed = page.split_once(".It Fl -user").unwrap().1;
    let listed = format!(".It Fl -user{}", listed.split_once("\n.El\n").unwrap().0);
    let listed = listed.lines().filter_map(|line| line.strip_prefix(".It Fl -")).map(|line| {
        let (name, value) = line.split_once(" Ar ").unwrap_or((line.trim_end_matches(" , h"), ""));
        (format!("--{name}"), value.to_owned())
    });
    let sorted = |mut options: Vec<_>| {
        options.sort();
        options
    };
    assert_eq!(sorted(listed.collect()), sorted(options()));
    // And no other option is named.
    let marked: String = page.lines().map(|line| line.replace("Fl -", "--") + "\n").collect();
    assert_eq!(named(&marked), names());

    // Defaults and limits: every number of the help is one of the page.
    let help = command::help();
    let (about, exits) = help.split_once("Exit status:\n").unwrap();
    for number in about.split(|c: char| !c.is_ascii_digit() && c != '.').map(|word| word.trim_matches('.')) {
        assert!(page.contains(number), "the man page does not have {number}");
    }
    assert!(page.contains("https://api.fish.audio"));

    let of_help = exits.lines().filter_map(|line| line.strip_prefix("  ")?.split_once("  "));
    let of_help = of_help.map(|(status, meaning)| (status.to_owned(), meaning.to_owned()));
    let section = page.split_once(".Sh EXIT STATUS\n").unwrap().1.split_once(".El\n").unwrap().0;
    let of_page = section.split(".It ").skip(1).map(|item| {
        let (status, meaning) = item.split_once('\n').unwrap();
        let words = meaning.replace(".Fl -", "--").replace("\n", " ");
        (status.to_owned(), words.replace(" ,", ",").replace(" :", ":").trim().to_owned())
    });
    assert_eq!(statuses(of_page), statuses(of_help));
}

#[test]
fn mandoc_and_man_find_no_fault_with_the_page() {
    let page = root().join("packaging/fish-credit.1");
    if tools::have("mandoc") {
        assert_eq!(c::run(Command::new("mandoc").args(["-Tlint", "-Wall"]).arg(&page)), "");
    }
    // As lintian asks it.
    if tools::have("man") && tools::have("groff") {
        let mut man = Command::new("man");
        man.args(["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"]).arg(&page).env("LC_ALL", "C.UTF-8");
        let output = man.env("MANROFFSEQ", "").env("MANWIDTH", "80").output().unwrap();
        assert_eq!((output.status.success(), String::from_utf8_lossy(&output.stderr).as_ref()), (true, ""));
    }
}

/// What a shell offers for the beginning of a command line, with the files in `share`.
type Offers = fn(share: &Path, line: &str) -> BTreeSet<String>;

/// Puts the files where they are installed.
fn installed() -> tempfile::TempDir {
    let share = tempfile::tempdir().unwrap();
    for (file, place) in [
        ("fish-credit.bash", "bash-completion/completions/fish-credit"),
        ("_fish-credit", "zsh/site-functions/_fish-credit"),
        ("fish-credit.fish", "fish/vendor_completions.d/fish-credit.fish"),
    ] {
        let place = share.path().join(place);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::copy(root().join("packaging/completions").join(file), place).unwrap();
    }
    share
}

fn completes(shell: &str, offers: Offers) {
    let share = installed();
    let offered = |line: &str| offers(share.path(), line);
    let some = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(offered("fish-credit --"), names());
    assert_eq!(offered("fish-credit --json --w"), some(&["--watch"]));
    assert_eq!(offered("fish-credit --user "), some(&["self"]));
    assert_eq!(offered("fish-credit --user self --i"), some(&["--interval"]));
    // A value is not an option, nor a file.
    for (name, value) in options() {
        if !value.is_empty() {
            // Fish offers options for any word that looks like one.
            if shell != "fish" {
                assert_eq!(offered(&format!("fish-credit {name} --w")), some(&[]), "{name}");
            }
            let offered = offered(&format!("fish-credit {name} "));
            assert!(offered.is_empty() || name == "--user", "{name}: {offered:?}");
        }
    }
}

/// The words of a shell's answer.
fn words(command: Command) -> BTreeSet<String> {
    let printed = c::stdout(&child::run(command, std::time::Duration::from_secs(60)));
    printed
        .lines()
        .map(|line| line.trim_end().trim_end_matches('=').to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn bash_completes() {
    const LOADER: &str = "/usr/share/bash-completion/bash_completion";
    if !tools::have("bash") || !tools::or_skipped(Path::new(LOADER).exists(), "bash-completion") {
        return;
    }
    completes("bash", |share, line| {
        // The package's own loader finds the file by the command's name, as at the first Tab.
        let script = format!(
            ". {LOADER}; _completion_loader fish-credit || [ $? = 124 ] || exit; read -ra COMP_WORDS <<<\"$1\"; \
             case $1 in *' ') COMP_WORDS+=('') ;; esac; COMP_LINE=$1 COMP_POINT=${{#1}} \
             COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); spec=$(complete -p fish-credit) && \
             [[ $spec =~ -F\\ ([^ ]+) ]] && ${{BASH_REMATCH[1]}} fish-credit \"${{COMP_WORDS[COMP_CWORD]}}\" \
             \"${{COMP_WORDS[COMP_CWORD-1]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let mut bash = Command::new("bash");
        bash.args(["--norc", "--noprofile", "-c", &script, "bash", line]);
        bash.env("XDG_DATA_HOME", share).env_remove("BASH_COMPLETION_USER_DIR");
        words(bash)
    });
}

#[test]
fn fish_completes() {
    if !tools::have("fish") {
        return;
    }
    completes("fish", |share, line| {
        let mut fish = Command::new("fish");
        fish.args(["-c", &format!("complete -C '{line}' | string replace -r '\\t.*' ''; true")]);
        // It completes only commands that are there.
        c::alias(credit::program(), &share.join("bin/fish-credit"));
        let path = format!("{}:{}", share.join("bin").display(), std::env::var("PATH").unwrap());
        fish.env("HOME", share).env("XDG_DATA_DIRS", share).env("PATH", path).env_remove("XDG_CONFIG_HOME");
        words(fish)
    });
}

#[test]
fn zsh_completes() {
    if !tools::have("zsh") {
        return;
    }
    completes("zsh", |share, line| {
        // A terminal of its own, in which Tab is pressed; what is offered is printed in place of the menu.
        let inner = share.join("inner.zsh");
        std::fs::write(
            &inner,
            format!(
                "fpath=('{}' $fpath)\nautoload -Uz compinit && compinit -u -d '{}'\nPROMPT=READY RPROMPT=\n\
                 zstyle ':completion:*' list-prompt ''\n\
                 compadd () {{ builtin compadd -A offered \"$@\"; print -rn -- $'\\x02'; print -rl -- $offered; \
                 print -rn -- $'\\x03'; builtin compadd \"$@\" }}\n\
                 finish () {{ zle complete-word; print -rn -- $'\\x04' }}\nzle -N finish\nbindkey '^I' finish\n",
                share.join("zsh/site-functions").display(),
                share.join("dump").display(),
            ),
        )
        .unwrap();
        let outer = format!(
            "zmodload zsh/zpty\nzpty shell zsh -f -i\nzpty -w shell \". '{}'\"\nzpty -r -m shell line '*READY*'\n\
             zpty -w -n shell \"$1\"$'\\t'\nzpty -r -m shell all $'*\\x04*'\nprint -rn -- \"$all\"\nzpty -d shell\n",
            inner.display()
        );
        let mut zsh = Command::new("zsh");
        zsh.args(["-f", "-c", &outer, "zsh", line]).env("HOME", share).env("TERM", "dumb");
        let printed = c::stdout(&child::run(zsh, std::time::Duration::from_secs(60)));
        let pieces = printed.split('\x02').skip(1).map(|piece| piece.split('\x03').next().unwrap());
        let offered =
            pieces.flat_map(str::lines).map(|line| line.trim_end().trim_end_matches('=').to_owned());
        offered.filter(|word| !word.is_empty()).collect()
    });
}
