//! The pages of the repository, its other texts, and the blocks of code in a page.

use std::path::Path;

use super::c::{self, read, root};
use super::routes;

/// A fenced block of a page: its language, its text without the page's indentation, and the lines before it.
pub struct Block {
    pub language: String,
    pub text: String,
    pub before: String,
}

impl Block {
    /// The name in a paragraph that ends so: "Put this into `name`:".
    pub fn file_name(&self) -> Option<&str> {
        let name = self.before.trim_end().strip_suffix("`:")?.rsplit('`').next()?;
        (name.contains('.') && !name.contains('/')).then_some(name)
    }

    /// What a comment before the block says of it: `<!-- needs: TOOL -->`, `<!-- needs: TOOL MAJOR -->` for that version
    /// or a later one, or `<!-- not run: REASON -->`.
    pub fn mark(&self, kind: &str) -> Option<&str> {
        let last = self.before.trim_end().lines().last()?.trim();
        last.strip_prefix("<!-- ")?.strip_suffix(" -->")?.strip_prefix(kind)
    }
}

pub fn blocks(page: &str) -> Vec<Block> {
    let (mut blocks, mut before) = (Vec::new(), String::new());
    let text = read(page);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some((indent, language)) = line.split_once("```") else {
            before = format!("{before}{line}\n");
            continue;
        };
        let body: String = lines
            .by_ref()
            .take_while(|line| line.trim() != "```")
            .map(|line| line.strip_prefix(indent).unwrap_or(line).to_owned() + "\n")
            .collect();
        blocks.push(Block { language: language.to_owned(), text: body, before: std::mem::take(&mut before) });
    }
    blocks
}

/// The texts of a page's blocks in one language.
pub fn texts(page: &str, language: &str) -> Vec<String> {
    let blocks = blocks(page).into_iter().filter(|block| block.language == language);
    let texts: Vec<String> = blocks.map(|block| block.text).collect();
    assert!(!texts.is_empty(), "{page} has no {language}");
    texts
}

/// The first block of a page in this language that is a whole program.
pub fn program(page: &str, language: &str) -> String {
    let mut texts = texts(page, language).into_iter();
    texts.find(|text| text.contains("int main(")).unwrap_or_else(|| panic!("{page} has no program"))
}

/// What the program of a page of C or C++ does: it is told a server, and takes the key from the environment.
pub fn shows_a_credit_and_a_refusal(program: &Path) {
    let server = routes::server();
    let asking = |route: &str| {
        let mut command = c::under_runner(program);
        command.arg(format!("{}/{route}", server.url())).env("FISH_API_KEY", "secret-1");
        command
    };
    let printed = c::run(&mut asking("ok"));
    assert!(printed.contains("12.345678"), "{printed}");
    let refused = asking("401").output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("FISH_UNAUTHORIZED"), "{refused:?}");
}

/// The folders whose files are searched for names of files.
pub const FOLDERS: [&str; 11] =
    [".ci", ".github", "benches", "capi", "docs", "examples", "fuzz", "include", "packaging", "src", "tests"];

/// The text files under a folder, by their paths from the top of the repository. Not what is built there, nor lock files.
pub fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            let built = [
                "target",
                "build",
                ".build",
                "node_modules",
                "__pycache__",
                "artifacts",
                "corpus",
                "coverage",
            ];
            if !built.contains(&&*name) && !name.ends_with(".egg-info") && path != "fuzz/seeds" {
                found.append(&mut files(&path));
            }
        } else if kind.is_file() && !name.ends_with(".lock") && std::fs::read_to_string(entry.path()).is_ok()
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The text files at the top of the repository.
pub fn top() -> impl Iterator<Item = String> {
    let kinds = [".md", ".toml", ".txt", ".in"];
    let files = std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap());
    files
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(move |name| kinds.iter().any(|kind| name.ends_with(kind)))
}

/// Every page: README.md, those of docs, those of the examples.
pub fn all() -> Vec<String> {
    let folders = ["benches", "docs", "examples"].into_iter().flat_map(files);
    let pages: Vec<String> = top().chain(folders).filter(|path| path.ends_with(".md")).collect();
    assert!(pages.len() > 15, "{pages:?}");
    pages
}
