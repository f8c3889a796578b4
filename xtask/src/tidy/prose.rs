//! Prose: no line of a page is longer than [`COLUMNS_MAX`], so that it can be read beside code and compared by line.
//!
//! Tables, code and lines that are one long word (an address) are not prose.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

const COLUMNS_MAX: usize = 120;

/// Folders without pages of ours, besides those whose name begins with a dot (but `.github`).
const WITHOUT: &[&str] = &["target", "node_modules", "corpus", "findings"];

pub fn check(root: &Path) -> Result<Vec<String>> {
    let mut pages = Vec::new();
    list(root, &mut pages)?;
    pages.sort();
    let mut faults = Vec::new();
    for page in pages {
        let text =
            fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
        let name = page.strip_prefix(root).unwrap_or(&page).display().to_string();
        faults.extend(long_lines(&text).into_iter().map(|(line, columns)| {
            format!("{name}:{line} has {columns} columns, more than {COLUMNS_MAX}")
        }));
    }
    Ok(faults)
}

fn list(folder: &Path, pages: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let hidden = name.starts_with('.') && name != ".github";
        if entry.file_type()?.is_dir() {
            if !hidden && !WITHOUT.contains(&&*name) {
                list(&path, pages)?;
            }
        } else if name.ends_with(".md") {
            pages.push(path);
        }
    }
    Ok(())
}

/// The lines of prose that are too long, from 1, with their columns.
fn long_lines(text: &str) -> Vec<(usize, usize)> {
    let mut code = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            code = !code;
        }
        let columns = line.chars().count();
        let prose = !code && !line.trim_start().starts_with('|') && line.trim().contains(' ');
        if prose && columns > COLUMNS_MAX {
            found.push((index + 1, columns));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moment_a_line_is_too_long() {
        let line = |columns: usize| format!("é {}", "x".repeat(columns - 2));
        assert!(long_lines(&line(COLUMNS_MAX)).is_empty());
        assert_eq!(long_lines(&format!("a\n{}", line(COLUMNS_MAX + 1))), [(2, 121)]);
    }

    #[test]
    fn tables_code_and_addresses_are_no_prose() {
        let long = "x ".repeat(COLUMNS_MAX);
        let address = format!("https://{}", "x".repeat(COLUMNS_MAX));
        assert!(long_lines(&format!("| {long}\n```\n{long}\n```\n{address}")).is_empty());
        assert_eq!(long_lines(&format!("```\n```\n{long}")), [(3, 240)]);
    }
}
