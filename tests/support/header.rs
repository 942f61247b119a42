//! The header as C programmers read it, taken apart into functions, structs and constants with their comments,
//! so that a test can ask something of every one of them. What it does not know it refuses: nothing that is
//! added to the header can be overlooked.

pub const TEXT: &str = include_str!("../../include/fish_api_credit.h");

#[derive(Debug, Default, Clone, PartialEq)]
pub struct Header {
    pub includes: Vec<String>,
    pub constants: Vec<Constant>,
    pub typedefs: Vec<Typedef>,
    /// Structs that are only declared.
    pub opaque: Vec<String>,
    pub enums: Vec<Enum>,
    pub structs: Vec<Struct>,
    pub functions: Vec<Function>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Constant {
    pub comment: String,
    pub name: String,
    pub value: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Typedef {
    pub comment: String,
    pub name: String,
    pub is: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Enum {
    pub comment: String,
    pub name: String,
    pub values: Vec<Constant>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Struct {
    pub comment: String,
    pub name: String,
    pub fields: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub comment: String,
    pub name: String,
    /// As in the header; an array's length stands behind it, as in `uint64_t[4]`.
    pub kind: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    pub comment: String,
    pub name: String,
    pub returns: String,
    /// Type and name of each.
    pub parameters: Vec<(String, String)>,
}

impl Constant {
    /// Its value is a text, not a number.
    pub fn is_text(&self) -> bool {
        self.value.starts_with('"')
    }
}

impl Function {
    pub fn pointers(&self) -> usize {
        self.parameters.iter().filter(|(kind, _)| kind.ends_with('*')).count()
    }

    /// `int (const char *, size_t)`: what a pointer to it must agree with.
    pub fn signature(&self) -> String {
        let kinds: Vec<_> = self.parameters.iter().map(|(kind, _)| kind.as_str()).collect();
        format!("{} ({})", self.returns, if kinds.is_empty() { "void".into() } else { kinds.join(", ") })
    }
}

/// A piece of the header: a comment, a line for the preprocessor, or what ends in `;` with the body it has.
enum Piece {
    Comment(String),
    Directive(String),
    Declaration(String, Option<String>, String),
}

impl Header {
    pub fn committed() -> Header {
        Header::parse(TEXT)
    }

    pub fn parse(text: &str) -> Header {
        let mut header = Header::default();
        let mut comment = String::new();
        for piece in pieces(text) {
            match piece {
                Piece::Comment(text) => comment = text,
                Piece::Directive(line) => header.directive(&line, std::mem::take(&mut comment)),
                Piece::Declaration(head, body, tail) => {
                    header.declaration(&head, body.as_deref(), &tail, std::mem::take(&mut comment));
                }
            }
        }
        header
    }

    pub fn version_of_abi(&self) -> &str {
        &self.constants.iter().find(|one| one.name == "FISH_ABI_VERSION").expect("FISH_ABI_VERSION").value
    }

    fn directive(&mut self, line: &str, comment: String) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (word, rest.split_once(' ')) {
            ("#include", _) => self.includes.push(rest.to_owned()),
            ("#define", Some((name, value))) => {
                self.constants.push(Constant { comment, name: name.into(), value: value.trim().into() });
            }
            ("#define" | "#ifndef", None) if rest == "FISH_API_CREDIT_H" => {}
            ("#ifdef", _) if rest == "__cplusplus" => {}
            ("#endif", _) => {}
            _ => panic!("the header has a line that the tests do not know: {line}"),
        }
    }

    fn declaration(&mut self, head: &str, body: Option<&str>, tail: &str, comment: String) {
        let words: Vec<_> = head.split(' ').collect();
        match (words.as_slice(), body) {
            (["typedef", "enum", name], Some(body)) if *name == tail => {
                self.enums.push(Enum { comment, name: tail.into(), values: values(body) });
            }
            (["typedef", "struct", name], Some(body)) if *name == tail => {
                self.structs.push(Struct { comment, name: tail.into(), fields: fields(body) });
            }
            (["struct", name], Some(body)) if tail.is_empty() => {
                self.structs.push(Struct { comment, name: (*name).into(), fields: fields(body) });
            }
            (["typedef", "struct", tag, name], None) if tag == name => self.opaque.push((*name).into()),
            (["struct", name], None) => assert!(self.opaque.iter().any(|one| one == name), "{head}"),
            (["typedef", is @ .., name], None) if !head.contains(['(', '[']) => {
                self.typedefs.push(Typedef { comment, name: (*name).into(), is: is.join(" ") });
            }
            (_, None) if head.ends_with(')') => self.functions.push(function(head, comment)),
            _ => panic!("the header has a declaration that the tests do not know: {head} {tail}"),
        }
        // A struct that is declared first and described later is not opaque.
        let structs = &self.structs;
        self.opaque.retain(|name| structs.iter().all(|one| one.name != *name));
    }
}

fn function(head: &str, comment: String) -> Function {
    let (front, parameters) = head.split_once('(').expect("a function has parentheses");
    let (returns, name) = declarator(front);
    let parameters = match parameters.trim_end_matches(')') {
        "void" => Vec::new(),
        some => some.split(", ").map(declarator).collect(),
    };
    Function { comment, name, returns, parameters }
}

fn fields(body: &str) -> Vec<Field> {
    let mut comment = String::new();
    let mut fields = Vec::new();
    for piece in pieces(body) {
        match piece {
            Piece::Comment(text) => comment = text,
            Piece::Declaration(head, None, _) if !head.contains([',', '(', ':']) => {
                let (front, length) = match head.split_once('[') {
                    Some((front, length)) => (front, format!("[{length}")),
                    None => (head.as_str(), String::new()),
                };
                let (kind, name) = declarator(front);
                fields.push(Field {
                    comment: std::mem::take(&mut comment),
                    name,
                    kind: format!("{kind}{length}"),
                });
            }
            _ => panic!("a struct has a field that the tests do not know: {body}"),
        }
    }
    fields
}

fn values(body: &str) -> Vec<Constant> {
    let mut values = Vec::new();
    let mut comment = String::new();
    for piece in pieces(&body.replace(",\n", ";\n")) {
        match piece {
            Piece::Comment(text) => comment = text,
            Piece::Declaration(head, None, _) => {
                let (name, value) = head.split_once(" = ").expect("every value of an enum is written out");
                let comment = std::mem::take(&mut comment);
                values.push(Constant { comment, name: name.into(), value: value.into() });
            }
            _ => panic!("an enum has a value that the tests do not know: {body}"),
        }
    }
    values
}

/// `const char *name` as its type and name.
fn declarator(text: &str) -> (String, String) {
    let text = text.trim();
    let at = text.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').expect("a type and a name") + 1;
    (text[..at].trim().to_owned(), text[at..].to_owned())
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end;
        if let Some(inside) = rest.strip_prefix("/*") {
            let length = inside.find("*/").expect("every comment ends");
            // Only those with two stars belong to what follows.
            if inside.starts_with('*') {
                let lines = inside[1..length].lines().map(|line| line.trim().trim_start_matches("* ").trim());
                pieces.push(Piece::Comment(lines.collect::<Vec<_>>().join("\n").trim().to_owned()));
            }
            end = 2 + length + 2;
        } else if rest.starts_with('#') {
            end = rest.find('\n').unwrap_or(rest.len());
            pieces.push(Piece::Directive(one_line(rest[..end].split("/*").next().unwrap())));
        } else if rest.starts_with("extern \"C\" {") {
            end = rest.find('{').unwrap() + 1;
        } else if rest.starts_with("} /* extern") {
            end = 1;
        } else {
            let semicolon = rest.find(';').expect("every declaration ends");
            match rest.find('{').filter(|&open| open < semicolon) {
                Some(open) => {
                    let close = rest.find("\n}").expect("every body ends");
                    end = close + rest[close..].find(';').expect("every declaration ends") + 1;
                    let (head, body) = (one_line(&rest[..open]), rest[open + 1..close + 1].to_owned());
                    pieces.push(Piece::Declaration(head, Some(body), one_line(&rest[close + 2..end - 1])));
                }
                None => {
                    end = semicolon + 1;
                    pieces.push(Piece::Declaration(one_line(&rest[..semicolon]), None, String::new()));
                }
            }
        }
        rest = rest[end..].trim_start();
    }
    pieces
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
