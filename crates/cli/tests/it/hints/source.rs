//! Hints as they stand in the source: literals that begin with `hint: `, and what is given as a field `hint`.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where users' programs are written; what only tests and labs say is not theirs.
const FOLDERS: &[&str] = &["crates", "lab/src"];

/// One hint: the file it is in, and its text with the placeholders of `format!`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hint {
    pub file: String,
    pub text: String,
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every hint with words of its own.
pub fn hints() -> Vec<Hint> {
    let (root, mut files, mut hints) = (root(), Vec::new(), Vec::new());
    FOLDERS.iter().for_each(|folder| collect(&root.join(folder), &mut files));
    for path in files {
        let file = path.strip_prefix(&root).unwrap().display().to_string();
        let source = fs::read_to_string(&path).unwrap();
        let code = source.split("#[cfg(test)]\nmod tests").next().unwrap();
        for text in of(code) {
            // One that only passes on another hint has no words.
            if text.chars().any(char::is_alphabetic) && !is_placeholder(&text) {
                hints.push(Hint { file: file.clone(), text });
            }
        }
    }
    hints.sort();
    hints.dedup();
    hints
}

fn is_placeholder(text: &str) -> bool {
    text.starts_with('{') && text.ends_with('}') && text.matches('{').count() == 1
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let skipped =
            ["tests", "benches", "examples", "target"].iter().any(|skipped| name == *skipped);
        if path.is_dir() && !skipped {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn of(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (before, text) in literals(code) {
        let given = ["hint:", "hint: format!(", ".hint(", ".hint(format!("];
        if given.iter().any(|given| before.trim_end().ends_with(given)) {
            found.push(text.clone());
        }
        for line in text.lines() {
            found.extend(line.strip_prefix("hint: ").map(str::to_owned));
        }
    }
    found
}

/// Each string literal with the code before it on its line and the one above. Comments are passed over.
fn literals(code: &str) -> Vec<(String, String)> {
    let (mut found, mut before, mut chars) = (Vec::new(), String::new(), code.chars().peekable());
    while let Some(char) = chars.next() {
        match char {
            '/' if chars.peek() == Some(&'/') => {
                chars.by_ref().find(|char| *char == '\n');
            }
            // A quoted character may be a quote.
            '\'' if matches!(chars.peek(), Some('"' | '\\')) => {
                let escaped = chars.next() == Some('\\');
                if escaped {
                    chars.next();
                }
                chars.next();
            }
            '"' => {
                let mut text = String::new();
                while let Some(char) = chars.next() {
                    match char {
                        '"' => break,
                        '\\' => match chars.next() {
                            Some('n') => text.push('\n'),
                            // The literal goes on in the next line, behind its indentation.
                            Some('\n') => {
                                while chars.next_if(|char| char.is_whitespace()).is_some() {}
                            }
                            Some(other) => text.push(other),
                            None => break,
                        },
                        char => text.push(char),
                    }
                }
                let last: String = before.chars().rev().take(60).collect();
                found.push((last.chars().rev().collect(), text));
            }
            char => before.push(char),
        }
    }
    found
}

#[test]
fn literals_are_found_where_they_are() {
    let code = "a(\"one\\nhint: try\"); // hint: \"no\"\nlet c = '\"'; X { hint: \"two\" }\n.hint(format!(\"three {x}\")); \"hint: {y}\"";
    assert_eq!(of(code), ["try", "two", "three {x}", "{y}"]);
}
