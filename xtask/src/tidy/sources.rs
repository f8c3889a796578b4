//! Every Rust file of the workspace, read once for the rules that look at text.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::reach;
use super::text::{self, Token};
use crate::workspace::Package;

/// One file, with the package it belongs to.
pub struct Source {
    pub package: String,
    /// As seen from the workspace.
    pub path: PathBuf,
    pub lines: usize,
    pub tokens: Vec<Token>,
}

/// The folders of a package that hold Rust.
const FOLDERS: &[&str] = &["src", "tests", "benches", "examples"];

pub fn read(root: &Path, packages: &[Package]) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for package in packages {
        let mut files = Vec::new();
        for folder in FOLDERS.iter().map(|name| package.directory.join(name)) {
            if folder.is_dir() {
                reach::list(&folder, &mut files)?;
            }
        }
        let build = package.directory.join("build.rs");
        files.extend(build.is_file().then_some(build));
        for file in files {
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            sources.push(Source {
                package: package.name.clone(),
                path: file.strip_prefix(root).unwrap_or(&file).to_owned(),
                lines: text.lines().count(),
                tokens: text::tokens(&text),
            });
        }
    }
    Ok(sources)
}

#[cfg(test)]
impl Source {
    /// A file of `types` for tests.
    pub fn of(path: &str, text: &str) -> Self {
        let (lines, tokens) = (text.lines().count(), text::tokens(text));
        Source { package: "types".into(), path: path.into(), lines, tokens }
    }
}
