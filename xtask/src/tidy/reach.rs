//! Reach: every file below `src/` hangs on a `mod` line; a file that does not is dead and says so nowhere.
//!
//! The walk starts at the root file of each library and program, follows `mod name;` with `#[path]` and inline modules,
//! and knows which files only tests see. Files named by `include!` or made by macros are not followed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::text::{self, Kind, Token, inside, past_group};
use crate::workspace::Package;

pub fn check(packages: &[Package]) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for package in packages {
        let files = files(package)?;
        let mut all = Vec::new();
        list(&package.directory.join("src"), &mut all)?;
        for path in all.iter().filter(|path| !files.contains_key(*path)) {
            faults.push(format!("{}: no mod line leads here", path.display()));
        }
    }
    Ok(faults)
}

/// A file the walk reached.
pub struct Reached {
    pub tokens: Vec<Token>,
    /// Whether only `cfg(test)` leads to it.
    pub test_only: bool,
}

/// All files of `package` below its `src/`, by path.
pub fn files(package: &Package) -> Result<BTreeMap<PathBuf, Reached>> {
    let mut files = BTreeMap::new();
    let source = package.directory.join("src");
    for target in package.targets.iter().filter(|target| target.file.starts_with(&source)) {
        let test_only = matches!(&*target.kind, "test" | "bench" | "example");
        let folder = target.file.parent().context("a file has a folder")?;
        walk(&target.file, folder, test_only, &mut files)?;
    }
    Ok(files)
}

/// `folder` is where the file's own modules live.
fn walk(
    path: &Path,
    folder: &Path,
    test_only: bool,
    files: &mut BTreeMap<PathBuf, Reached>,
) -> Result<()> {
    if files.get(path).is_some_and(|reached| test_only || !reached.test_only) {
        return Ok(());
    }
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let tokens = text::tokens(&text);
    let modules = modules(&tokens);
    files.insert(path.to_owned(), Reached { tokens, test_only });
    for module in modules {
        let Some((child, child_folder)) = module.find(path, folder) else {
            continue; // the compiler complains about these better than we can
        };
        walk(&child, &child_folder, test_only || module.test_only, files)?;
    }
    Ok(())
}

/// One `mod name;` line.
#[derive(Debug, PartialEq, Eq)]
struct Module {
    /// The inline modules around it, then itself.
    names: Vec<String>,
    path: Option<String>,
    test_only: bool,
}

impl Module {
    fn find(&self, from: &Path, folder: &Path) -> Option<(PathBuf, PathBuf)> {
        let (name, around) = self.names.split_last()?;
        let base = around.iter().fold(folder.to_owned(), |folder, name| folder.join(name));
        if let Some(path) = &self.path {
            // Relative to the file itself, or to the inline module's folder.
            let beside = if around.is_empty() { from.parent()?.to_owned() } else { base };
            let file = beside.join(path);
            let folder = file.parent()?.to_owned();
            return file.is_file().then_some((file, folder));
        }
        let inner = base.join(name);
        [base.join(format!("{name}.rs")), inner.join("mod.rs")]
            .into_iter()
            .find(|file| file.is_file())
            .map(|file| (file, inner))
    }
}

fn modules(tokens: &[Token]) -> Vec<Module> {
    let mut found = Vec::new();
    collect(tokens, &[], false, &mut found);
    found
}

fn collect(tokens: &[Token], around: &[String], test_only: bool, found: &mut Vec<Module>) {
    let mut path = None;
    let mut tests = false;
    let mut index = 0;
    while index < tokens.len() {
        match &tokens[index..] {
            [hash, open, ..] if hash.is('#') && open.is('[') => {
                let end = past_group(tokens, index + 1);
                let attribute = inside(tokens, index + 1);
                tests |= is_cfg_test(attribute);
                if let [word, equals, Token { kind: Kind::Text(text), .. }] = attribute
                    && word.is_word("path")
                    && equals.is('=')
                {
                    path = Some(text.clone());
                }
                index = end;
                continue;
            }
            [word, Token { kind: Kind::Word(name), .. }, next, ..] if word.is_word("mod") => {
                let names: Vec<String> = around.iter().chain([name]).cloned().collect();
                let test_only = test_only || tests;
                if next.is(';') {
                    found.push(Module { names, path: path.take(), test_only });
                } else if next.is('{') {
                    collect(inside(tokens, index + 2), &names, test_only, found);
                    index = past_group(tokens, index + 2) - 1;
                }
            }
            // Between an attribute and its `mod` stands a visibility at most.
            [word, ..] if word.is_word("pub") => {
                index += 1;
                if tokens.get(index).is_some_and(|token| token.is('(')) {
                    index = past_group(tokens, index);
                }
                continue;
            }
            _ => {}
        }
        (path, tests) = (None, false);
        index += 1;
    }
}

/// `cfg(test)`, or a `cfg(all(…))` that asks for it.
pub fn is_cfg_test(attribute: &[Token]) -> bool {
    match attribute {
        [cfg, open, test, ..] if cfg.is_word("cfg") && open.is('(') => {
            test.is_word("test")
                || (test.is_word("all") && attribute.iter().any(|token| token.is_word("test")))
        }
        _ => false,
    }
}

pub(super) fn list(folder: &Path, all: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, all)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push(path);
        }
    }
    all.sort();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::text::tokens;
    use crate::workspace::fixture;

    fn shown(source: &str) -> Vec<String> {
        modules(&tokens(source))
            .into_iter()
            .map(|m| {
                let path = m.path.map_or(String::new(), |path| format!(" at {path}"));
                format!("{}{path}{}", m.names.join("::"), if m.test_only { " (test)" } else { "" })
            })
            .collect()
    }

    #[test]
    fn mod_lines_are_found() {
        assert_eq!(
            shown("mod a; pub mod b; pub(crate) mod c; // mod d;\nfn mod_e() {}"),
            ["a", "b", "c"]
        );
        assert_eq!(
            shown("pub mod a { mod b; #[path = \"x.rs\"] mod c; }"),
            ["a::b", "a::c at x.rs"]
        );
    }

    #[test]
    fn tests_are_marked() {
        assert_eq!(shown("#[cfg(test)] mod a; mod b;"), ["a (test)", "b"]);
        assert_eq!(shown("#[cfg(test)] mod a { pub(super) mod b; } mod c;"), ["a::b (test)", "c"]);
        assert_eq!(shown("#[cfg(test)] use x; mod b; #[cfg(not(test))] mod c;"), ["b", "c"]);
    }

    #[test]
    fn a_file_without_a_mod_line_is_dead() {
        let folder = std::env::temp_dir().join(format!("xtask-reach-{}", std::process::id()));
        let source = folder.join("src");
        for (path, text) in [
            ("lib.rs", "mod a; pub mod b;"),
            ("a.rs", "mod deep;"),
            ("a/deep.rs", ""),
            ("b/mod.rs", "#[cfg(test)] mod tests;"),
            ("b/tests.rs", ""),
            ("b/lost.rs", ""),
        ] {
            fs::create_dir_all(source.join(path).parent().unwrap()).unwrap();
            fs::write(source.join(path), text).unwrap();
        }
        let mut packages = fixture(&["types"]);
        packages[0].directory = folder.clone();
        packages[0].targets[0].file = source.join("lib.rs");
        let faults = check(&packages).unwrap();
        let tests_are_test_only =
            files(&packages[0]).unwrap()[&source.join("b/tests.rs")].test_only;
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(
            faults,
            [format!("{}: no mod line leads here", source.join("b/lost.rs").display())]
        );
        assert!(tests_are_test_only);
    }
}
