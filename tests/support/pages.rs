//! The pages of the repository as their readers use them: their blocks of code.

use std::path::Path;

use super::c::{self, read};
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

    /// What a comment before the block says of it: `<!-- needs: TOOL -->`, or `<!-- not run: REASON -->`.
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
