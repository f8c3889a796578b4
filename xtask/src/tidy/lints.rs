//! Lints: each crate takes the workspace's, so that what is forbidden is forbidden everywhere.
//!
//! The exceptions have a `[lints]` table of their own in `Cargo.toml`, because Cargo cannot change one lint of an inherited
//! table; it must say all that the workspace's says, with `unsafe_code = "deny"`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::manifest::table;
use crate::workspace::Package;

/// The crates that contain `unsafe`, and why.
const UNSAFE: &[(&str, &str)] = &[
    ("sandbox", "a job's input is lent to wasmtime without a copy (loan.rs)"),
    ("xtask", "a lab makes a TUN device with one ioctl (presencelab/wire.rs)"),
];

pub fn check(root: &Path, packages: &[Package]) -> Result<Vec<String>> {
    let read = |folder: &Path| {
        let path = folder.join("Cargo.toml");
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let workspace = read(root)?;
    let mut faults = Vec::new();
    for package in packages {
        let own = UNSAFE.iter().any(|(name, _)| *name == package.name);
        let fault = fault(&workspace, &read(&package.directory)?, own);
        faults.extend(fault.map(|fault| format!("{}: {fault}", package.name)));
    }
    Ok(faults)
}

fn fault(workspace: &str, manifest: &str, own: bool) -> Option<String> {
    if !own {
        let inherits = table(manifest, "lints") == ["workspace = true"];
        return (!inherits).then(|| "[lints] is not `workspace = true`".to_owned());
    }
    for tool in ["rust", "rustdoc", "clippy"] {
        let ours = table(manifest, &format!("lints.{tool}"));
        let expected = table(workspace, &format!("workspace.lints.{tool}"));
        let differs = expected
            .iter()
            .map(|line| line.replace("unsafe_code = \"forbid\"", "unsafe_code = \"deny\""))
            .find(|line| !ours.contains(&&**line));
        if let Some(line) = differs {
            return Some(format!("[lints.{tool}] lacks `{line}`"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::fault;

    const WORKSPACE: &str = "[workspace.lints.rust]\nunsafe_code = \"forbid\" \n# why\nx = \"warn\"\n\n\
        [workspace.lints.clippy]\ny = \"warn\"\n";

    fn check(manifest: &str, own: bool, expected: Option<&str>) {
        assert_eq!(fault(WORKSPACE, manifest, own).as_deref(), expected);
    }

    #[test]
    fn inheriting_is_the_rule() {
        check("[lints]\nworkspace = true\n[dependencies]", false, None);
        check("[dependencies]", false, Some("[lints] is not `workspace = true`"));
        check("[lints.rust]\nx = \"warn\"", false, Some("[lints] is not `workspace = true`"));
    }

    #[test]
    fn an_own_table_says_all_and_denies_unsafe() {
        let own =
            "[lints.rust]\nunsafe_code = \"deny\"\nx = \"warn\"\n[lints.clippy]\ny = \"warn\"";
        check(own, true, None);
        check(&own.replace("x =", "z ="), true, Some("[lints.rust] lacks `x = \"warn\"`"));
        check(
            &own.replace("deny", "allow"),
            true,
            Some("[lints.rust] lacks `unsafe_code = \"deny\"`"),
        );
        check("", true, Some("[lints.rust] lacks `unsafe_code = \"deny\"`"));
    }
}
