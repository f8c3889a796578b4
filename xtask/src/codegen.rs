//! `cargo xtask codegen`: writes anew what is generated from the nouns of `types`.
//!
//! The generators are tests, because a test has to say anyway whether what is committed is fresh; told to update, they write
//! it. First come the vectors and the schemas of the nouns, then the description of the API, which contains these schemas.
//! They are started here rather than linked, because xtask stands alone.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::report::{Outcome, Report};
use crate::workspace;

/// A package, and the test in it that generates.
type Generator = (&'static str, &'static str);

const NOUNS: Generator = ("meshx-types", "the_generated_files_are_fresh");
const OPENAPI: Generator = ("meshx-api", "the_recorded_description_is_fresh");

/// Write all that is generated.
pub fn run(root: &Path, report: &mut Report) {
    for generator in [NOUNS, OPENAPI] {
        let outcome = match start(root, generator, true) {
            Ok(faults) => faults.into(),
            Err(error) => Outcome::Failed(vec![format!("{error:#}")]),
        };
        report.add(&format!("codegen from {}", generator.0), outcome);
    }
}

/// What of `vectors/` and of the nouns' schemas is not as the nouns are declared. The description of the API is left to its
/// own test: the crates below it take minutes to compile.
pub fn check(root: &Path) -> Result<Vec<String>> {
    start(root, NOUNS, false)
}

/// What the generator finds wrong.
fn start(root: &Path, (package, test): Generator, update: bool) -> Result<Vec<String>> {
    let mut cargo = Command::new(workspace::cargo());
    cargo.args(["test", "--quiet", "--package", package, "--test", "it", test]).current_dir(root);
    if update {
        cargo.env("MESHX_UPDATE", "1");
    } else {
        cargo.env_remove("MESHX_UPDATE");
    }
    let output = cargo.output().context("cannot start cargo")?;
    if output.status.success() {
        return Ok(vec![]);
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    Ok(faults(&said))
}

/// The lines that tell what is stale; if there are none, something else went wrong, and all is told.
fn faults(said: &str) -> Vec<String> {
    let told = ["stale", "nothing generates", "hint:"];
    let lines: Vec<String> = said
        .lines()
        .filter(|line| told.iter().any(|word| line.contains(word)))
        .map(str::to_owned)
        .collect();
    if lines.is_empty() { vec![said.to_owned()] } else { lines }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stale_is_told_and_nothing_around_it() {
        let said = "running 1 test\nthread 'generated::fresh' panicked\n\
            stale: [\"vectors/account.json\"]\nhint: cargo xtask codegen\nnote: run with RUST_BACKTRACE=1";
        assert_eq!(
            faults(said),
            ["stale: [\"vectors/account.json\"]", "hint: cargo xtask codegen"]
        );
        assert_eq!(faults("error: no such package"), ["error: no such package"]);
    }
}
