//! Lines that begin with `cargo`: they compile for minutes, so only what they name is checked.

use std::path::Path;

use crate::workspace::Package;
use crate::{USAGE, sim, torture};

/// The words of a command behind `cargo`; none if it is another command.
pub fn words(command: &str) -> Option<Vec<&str>> {
    let text = command.split_once(" #").map_or(command, |(text, _)| text);
    let setting = |word: &&str| word.split_once('=').is_some_and(|(name, _)| !name.contains('-'));
    let mut words = text.split_whitespace().skip_while(setting);
    (words.next() == Some("cargo")).then(|| words.collect())
}

/// The line of `meshx` that builds nothing, for one that builds and runs it.
pub fn without_build(command: &str) -> Option<String> {
    command.strip_prefix("cargo run --release -- ").map(|rest| format!("meshx {rest}"))
}

/// The packages, folders and commands of the project that `words` name and that are not there.
pub fn faults(root: &Path, packages: &[Package], words: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    for pair in words.windows(2) {
        match *pair {
            ["-p" | "--package", name] => {
                let name = name.strip_prefix("meshx-").unwrap_or(name);
                if !packages.iter().any(|package| package.name == name) {
                    faults.push(format!("no package is called meshx-{name}"));
                }
            }
            ["--path", path] if !root.join(path).join("Cargo.toml").is_file() => {
                faults.push(format!("{path} is no package"));
            }
            _ => {}
        }
    }
    let understood = match *words {
        ["xtask", "sim", ref rest @ ..] => sim::understood(rest),
        ["xtask", "torture", ref rest @ ..] => torture::understood(rest),
        ["xtask", verb, ..] => {
            USAGE.lines().any(|line| line.split_whitespace().next() == Some(verb))
        }
        _ => true,
    };
    if !understood {
        faults.push("cargo xtask does not understand it".to_owned());
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::fixture;

    #[test]
    fn settings_and_comments_are_no_words() {
        assert_eq!(words("A=1 cargo xtask ci  # all"), Some(vec!["xtask", "ci"]));
        assert_eq!(words("meshx run cargo"), None);
        let run = without_build("cargo run --release -- run a.wasm < b");
        assert_eq!(run.as_deref(), Some("meshx run a.wasm < b"));
    }

    #[test]
    fn what_is_named_must_be_there() {
        let check = |command: &str, expected: &[&str]| {
            let faults =
                faults(Path::new("/nowhere"), &fixture(&["chain"]), &words(command).unwrap());
            assert_eq!(faults, expected, "{command}");
        };
        check("cargo test -p meshx-chain", &[]);
        check("cargo test -p meshx-chains", &["no package is called meshx-chains"]);
        check("cargo install --path lab", &["lab is no package"]);
        check("cargo xtask presencelab chain", &[]);
        check("cargo xtask sim --seeds 1000", &[]);
        check("cargo xtask sim --seed many", &["cargo xtask does not understand it"]);
        check("cargo xtask tests", &["cargo xtask does not understand it"]);
    }
}
