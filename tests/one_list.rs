//! Adding a field of the answer, an option or a status takes few places by hand; all else is generated from them. Here
//! each is added, the places are counted, and what follows is built and tested. docs/architecture.md has the same lists.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::generate::{self, committed};
use support::{c, tools};

/// One change by hand: in this file, `find` becomes `put`.
struct Place {
    file: &'static str,
    find: &'static str,
    put: &'static str,
}

struct Addition {
    /// As docs/architecture.md calls it.
    title: &'static str,
    /// How many places it may take.
    most: usize,
    places: &'static [Place],
    /// What is then generated.
    generated: &'static [(&'static str, &'static str)],
}

const FIELD: Addition = Addition {
    title: "A field of `fish_api_credit`",
    most: 8,
    places: &[
        Place {
            file: "src/ffi/api_credit.rs",
            find: "    /// Zero.\n    pub reserved: [u64; 4],\n",
            put: "    /// What the credit is counted in, such as \"USD\". NULL if the server did not send it.\n    \
                  pub currency: *const c_char,\n    /// Zero.\n    pub reserved: [u64; 3],\n",
        },
        Place {
            file: "src/ffi/api_credit.rs",
            find: "                    request_id: got.request_id.as_ref(),\n",
            put: "                    request_id: got.request_id.as_ref(),\n                    \
                  currency: got.currency.as_ref(),\n",
        },
        Place {
            file: "src/response/document.rs",
            find: "    has_free_credit: Option<bool> = optional(\"has_free_credit\"),\n",
            put: "    has_free_credit: Option<bool> = optional(\"has_free_credit\"),\n    \
                  currency: Option<Cow<'a, str>> = optional(\"currency\"),\n",
        },
        Place {
            file: "tests/support/client.rs",
            find: "    texts: cumulative_top_up request_id;\n",
            put: "    texts: cumulative_top_up request_id currency;\n",
        },
        Place {
            file: "tests/answers.rs",
            find: "    (\"has_free_credit\", \"null\", Kind::Flag, Some(|c| c.has_free_credit = -1)),\n",
            put: "    (\"has_free_credit\", \"null\", Kind::Flag, Some(|c| c.has_free_credit = -1)),\n    \
                  (\"currency\", r#\"\"USD\"\"#, Kind::Text, Some(|c| c.currency = None)),\n",
        },
        Place {
            file: "tests/answers.rs",
            find: "        has_free_credit: -1,\n    }\n",
            put: "        has_free_credit: -1,\n        currency: Some(\"USD\".into()),\n    }\n",
        },
        Place {
            file: "fuzz/targets/differential.rs",
            find: "    (\"has_free_credit\", Kind::Flag, true),\n",
            put: "    (\"has_free_credit\", Kind::Flag, true),\n    (\"currency\", Kind::Text, true),\n",
        },
    ],
    generated: &[
        ("include/fish_api_credit.h", "  const char *currency;\n  /** Zero. */\n  uint64_t reserved[3];\n"),
        ("include/fish_api_credit.hpp", "std::optional<std::string_view> currency() const noexcept"),
        ("examples/python/fish_api_credit/_credit.py", "    currency: Optional[str] = None\n"),
        ("examples/go/fishcredit/credit.go", "\tCurrency string\n"),
        ("examples/luajit/fish_api_credit.lua", "  currency = text,\n"),
        ("examples/node/index.d.ts", "  readonly currency: string | null;\n"),
        ("examples/swift/Sources/FishApiCredit/Credit.swift", "    public let currency: String?\n"),
        ("examples/java/src/io/github/fishapicredit/Credit.java", "        String currency) {\n"),
        ("examples/csharp/FishApiCredit.cs", "        public string Currency { get; private set; }\n"),
    ],
};

const OPTION: Addition = Addition {
    title: "An option of `fish_client_options`",
    most: 6,
    places: &[
        Place {
            file: "src/ffi/client.rs",
            find: "    /// Must be zero.\n    pub reserved: [u64; 8],\n",
            put: "    /// Milliseconds for keeping a connection that is not used. 0: 90000.\n    pub idle_timeout_ms: u32,\n    \
                  /// Must be zero.\n    pub reserved: [u64; 7],\n",
        },
        Place {
            file: "src/ffi/client.rs",
            find: "            tls_roots: options.tls_roots,\n",
            put: "            tls_roots: options.tls_roots,\n            idle_timeout_ms: options.idle_timeout_ms,\n",
        },
        Place {
            file: "src/client.rs",
            find: "    pub tls_roots: i32,\n",
            put: "    pub tls_roots: i32,\n    pub idle_timeout_ms: u32,\n",
        },
        Place {
            file: "src/client.rs",
            find: "        let max_retries = match options.max_retries {\n",
            put: "        if options.idle_timeout_ms == 1 {\n            \
                  return Err(Error::invalid(\"options.idle_timeout_ms is 1; make it longer.\"));\n        }\n        \
                  let max_retries = match options.max_retries {\n",
        },
        Place {
            file: "tests/support/client.rs",
            find: "tls_roots: i32;\n",
            put: "tls_roots: i32, idle_timeout_ms: u32;\n",
        },
        Place {
            file: "tests/c/refusals.c",
            find: "  static const uint32_t intervals[] = {1, 999};\n",
            put: "  fish_client_options impatient = test_options(url);\n  impatient.idle_timeout_ms = 1;\n  \
                  options_refused(&impatient, \"options.idle_timeout_ms is 1\");\n  \
                  static const uint32_t intervals[] = {1, 999};\n",
        },
    ],
    generated: &[
        (
            "include/fish_api_credit.h",
            "  uint32_t idle_timeout_ms;\n  /** Must be zero. */\n  uint64_t reserved[7];\n",
        ),
        ("include/fish_api_credit.hpp", "  std::chrono::milliseconds idle_timeout{0};\n"),
        ("examples/python/fish_api_credit/_client.py", "        idle_timeout: Optional[float] = None,\n"),
        ("examples/go/fishcredit/client.go", "\tIdleTimeout time.Duration\n"),
        (
            "examples/luajit/fish_api_credit.lua",
            "  idle_timeout_ms = { \"idle_timeout_ms\", milliseconds },\n",
        ),
        ("examples/node/index.d.ts", "  idleTimeoutMs?: number | null;\n"),
        ("examples/swift/Sources/FishApiCredit/Client.swift", "    public var idleTimeout: Duration?\n"),
        ("examples/java/src/io/github/fishapicredit/FishOptions.java", "    private Duration idleTimeout;\n"),
        ("examples/csharp/FishApiCredit.cs", "        public TimeSpan? IdleTimeout { get; set; }\n"),
    ],
};

const STATUS: Addition = Addition {
    title: "A status",
    most: 3,
    places: &[
        Place {
            file: "src/ffi/status.rs",
            find: "FISH_RESPONSE_TOO_LARGE = 49;\n",
            put: "FISH_RESPONSE_TOO_LARGE = 49;\n    /// Response: 451.\n    Blocked, FISH_BLOCKED = 50;\n",
        },
        Place {
            file: "src/status.rs",
            find: "            429 => Status::RateLimited,\n",
            put: "            429 => Status::RateLimited,\n            451 => Status::Blocked,\n",
        },
        Place {
            file: "tests/answers.rs",
            find: "        429 => FISH_RATE_LIMITED,\n",
            put: "        429 => FISH_RATE_LIMITED,\n        451 => FISH_BLOCKED,\n",
        },
    ],
    generated: &[
        ("include/fish_api_credit.h", "  FISH_BLOCKED = 50,\n"),
        ("include/fish_api_credit.hpp", "  blocked = FISH_BLOCKED,\n"),
        ("examples/python/fish_api_credit/_abi.py", "    BLOCKED = 50\n"),
        ("examples/go/fishcredit/status_generated.go", "\tBlocked Status = C.FISH_BLOCKED\n"),
        ("examples/luajit/fish_api_credit.lua", "  BLOCKED = 50,\n"),
        ("examples/node/lib/abi.js", "  BLOCKED: 50,\n"),
        (
            "examples/swift/Sources/FishApiCredit/Status.swift",
            "    public static let blocked = FishError.Status(rawValue: 50)\n",
        ),
        ("examples/java/src/io/github/fishapicredit/Status.java", "    BLOCKED(50),\n"),
        ("examples/csharp/FishApiCredit.cs", "        Blocked = 50,\n"),
    ],
};

const ALL: [&Addition; 3] = [&FIELD, &OPTION, &STATUS];

#[test]
fn few_places_are_touched_by_hand() {
    let page = committed("docs/architecture.md");
    let generated: Vec<_> = generate::files().into_iter().map(|file| file.path).collect();
    for addition in ALL {
        let title = addition.title;
        assert!(addition.places.len() <= addition.most, "{title}: {} places", addition.places.len());
        for place in addition.places {
            let found = committed(place.file).matches(place.find).count();
            assert_eq!(found, 1, "{title}: {} has this {found} times: {}", place.file, place.find);
            assert!(!generated.contains(&place.file), "{title}: {} is generated", place.file);
        }
        // The page has a numbered line for each place, which begins with the file.
        let (_, list) =
            page.split_once(&format!("### {title}\n")).unwrap_or_else(|| panic!("no title {title:?}"));
        let list = list.split("\n#").next().unwrap_or_default();
        let told = list.lines().filter_map(|line| line.split_once(". `")?.1.split('`').next());
        let places = addition.places.iter().map(|place| place.file);
        assert_eq!(told.collect::<Vec<_>>(), places.collect::<Vec<_>>(), "docs/architecture.md, {title}");
    }
}

/// All three are added to a copy of the repository; then the generated files are written, and the tests are run that see
/// every name. It takes a build of its own, so only where FISH_CI is set.
#[test]
fn the_rest_follows_and_every_test_passes() {
    if !tools::in_ci() {
        support::note("skipped: adding a field, an option and a status to a copy (set FISH_CI)");
        return;
    }
    let copy = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("one-list");
    let _ = std::fs::remove_dir_all(&copy);
    for file in tracked() {
        let to = copy.join(&file);
        std::fs::create_dir_all(to.parent().expect("a folder")).unwrap();
        std::fs::copy(c::root().join(&file), to).unwrap();
    }
    for place in ALL.iter().flat_map(|addition| addition.places) {
        let path = copy.join(place.file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace(place.find, place.put)).unwrap();
    }
    cargo(&copy, &["test", "--test", "generated"], true);
    for (file, text) in ALL.iter().flat_map(|addition| addition.generated) {
        let written = std::fs::read_to_string(copy.join(file)).unwrap();
        assert!(written.contains(text), "{file} has no {text:?}");
    }
    cargo(&copy, &["build", "--examples"], false);
    let tests = ["generated", "abi", "header", "c_interface", "answers", "requests", "languages"];
    let arguments = tests.iter().flat_map(|test| ["--test", test]);
    cargo(&copy, &["test"].into_iter().chain(arguments).collect::<Vec<_>>(), false);
    compiles(&copy);
}

/// C++ has all three. tests/cpp.rs tries its header in every way; here it is enough that it compiles.
fn compiles(folder: &Path) {
    let source = folder.with_extension("cpp");
    let text = "#include <fish_api_credit.hpp>\n\
                int main() {\n  \
                  fish::ClientOptions options;\n  \
                  options.idle_timeout = std::chrono::seconds(1);\n  \
                  const auto made = fish::Client::create(options);\n  \
                  const auto credit = fish::ApiCredit::from_json(\"{}\");\n  \
                  return made && credit && credit->currency() ? 1 : credit.status() == fish::StatusCode::blocked;\n\
                }\n";
    std::fs::write(&source, text).unwrap();
    let mut compiler = Command::new("c++");
    compiler
        .args(["-std=c++17", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(folder.join("include"));
    let output = compiler.arg(source).output().expect("c++");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The files of the repository, and those that are not yet committed.
fn tracked() -> Vec<PathBuf> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(c::root());
    let output = git.output().expect("git");
    assert!(output.status.success(), "{output:?}");
    let names = String::from_utf8(output.stdout).expect("names in UTF-8");
    let names = names.split('\0').map(PathBuf::from);
    names.filter(|name| c::root().join(name).is_file()).collect()
}

fn cargo(folder: &Path, arguments: &[&str], write: bool) {
    let mut command = c::command(env!("CARGO"));
    command.args(arguments).current_dir(folder).env("CARGO_TARGET_DIR", folder.with_extension("target"));
    // Node's packages, which .ci/bindings.sh has put beside the builds.
    let packages = folder.with_file_name("../node/node_modules");
    command.env("FISH_NODE_MODULES", std::env::var_os("FISH_NODE_MODULES").unwrap_or(packages.into()));
    // What takes a release build, or every tool there is, is tried on the repository itself.
    command.env_remove("FISH_CI");
    match write {
        true => command.env("FISH_WRITE", "1"),
        false => command.env_remove("FISH_WRITE"),
    };
    let output = command.output().expect("cargo starts");
    let said =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success(), "cargo {}:\n{said}", arguments.join(" "));
}
