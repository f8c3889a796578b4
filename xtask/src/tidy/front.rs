//! Front pages: each `lib.rs` begins with `//!`, in its first line.

use std::fs;

use anyhow::{Context, Result};

use crate::workspace::Package;

pub fn check(packages: &[Package]) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for library in packages.iter().filter_map(Package::library) {
        let path = library.file.display();
        let text =
            fs::read_to_string(&library.file).with_context(|| format!("cannot read {path}"))?;
        faults.extend(fault(&text).map(|fault| format!("{path}: {fault}")));
    }
    Ok(faults)
}

fn fault(text: &str) -> Option<&'static str> {
    match text.lines().next().unwrap_or("").strip_prefix("//!") {
        None => Some("does not begin with //!"),
        Some(rest) if rest.trim().is_empty() => Some("its first line says nothing"),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn the_first_line_must_speak() {
        assert_eq!(fault("//! Hold money.\n"), None);
        assert_eq!(fault("//!\n//! Hold money.\n"), Some("its first line says nothing"));
        assert_eq!(fault("mod a;\n"), Some("does not begin with //!"));
        assert_eq!(fault(""), Some("does not begin with //!"));
    }
}
