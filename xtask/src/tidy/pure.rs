//! Purity: rules that must replay alike name no clock, float, hash map, disk, socket or runtime (design §9).
//!
//! A textual check of code, comments and string literals aside, outside `#[cfg(test)]`. It sees names, not meanings: `std::{fs, …}`
//! is found, an alias such as `use std as s` is not, nor is a float that inference makes of `0.5`.

use anyhow::Result;

use super::PURE;
use super::reach::{self, is_cfg_test};
use super::text::{Token, inside, past_group};
use crate::workspace::Package;

/// Names that may not occur at all, with the reason.
const NAMES: &[(&str, &str)] = &[
    ("SystemTime", "time is passed in"),
    ("HashMap", "its order differs from run to run: use BTreeMap"),
    ("HashSet", "its order differs from run to run: use BTreeSet"),
    ("f32", "floats differ from machine to machine: use integers"),
    ("f64", "floats differ from machine to machine: use integers"),
    ("tokio", "rules do not wait"),
];

/// Modules of `std` that may not be named.
const MODULES: &[(&str, &str)] =
    &[("fs", "rules touch no disk"), ("net", "rules touch no network")];

pub fn check(packages: &[Package]) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for package in packages.iter().filter(|package| PURE.contains(&package.name.as_str())) {
        for (path, reached) in reach::files(package)?.iter().filter(|(_, r)| !r.test_only) {
            faults.extend(
                scan(&reached.tokens)
                    .into_iter()
                    .map(|(line, fault)| format!("{}:{line}: {fault}", path.display())),
            );
        }
    }
    Ok(faults)
}

fn scan(tokens: &[Token]) -> Vec<(u32, String)> {
    let mut faults = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        match &tokens[index..] {
            [hash, open, ..] if hash.is('#') && open.is('[') => {
                let end = past_group(tokens, index + 1);
                index = if is_cfg_test(inside(tokens, index + 1)) {
                    past_item(tokens, end)
                } else {
                    end
                };
                continue;
            }
            [std, first, second, ..] if std.is_word("std") && first.is(':') && second.is(':') => {
                for token in leading_names(&tokens[index + 3..]) {
                    faults.extend(forbidden(token, MODULES, "std::"));
                }
            }
            _ => {}
        }
        faults.extend(forbidden(&tokens[index], NAMES, ""));
        index += 1;
    }
    faults
}

fn forbidden(token: &Token, table: &[(&str, &str)], prefix: &str) -> Option<(u32, String)> {
    let word = token.word()?;
    // `1f64` is one word.
    let name = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
    let hex = word.starts_with("0x");
    let (name, why) = table.iter().find(|(forbidden, _)| *forbidden == name && !hex)?;
    Some((token.line, format!("names {prefix}{name}: {why}")))
}

/// What stands right behind `std::`: one name, or the first name of each branch of `{…}`.
fn leading_names(tokens: &[Token]) -> Vec<&Token> {
    match tokens.first() {
        Some(open) if open.is('{') => {
            let group = inside(tokens, 0);
            let mut names = Vec::new();
            let mut index = 0;
            let mut begins = true;
            while let Some(token) = group.get(index) {
                if begins {
                    names.push(token);
                }
                begins = token.is(',');
                index = if token.is('{') { past_group(group, index) } else { index + 1 };
            }
            names
        }
        Some(name) => vec![name],
        None => vec![],
    }
}

/// The index past the item that begins at `begin`: its `;`, or its closing brace.
fn past_item(tokens: &[Token], begin: usize) -> usize {
    let mut index = begin;
    while let Some(token) = tokens.get(index) {
        if token.is(';') {
            return index + 1;
        }
        if token.is('{') {
            return past_group(tokens, index);
        }
        index = if token.is('(') || token.is('[') { past_group(tokens, index) } else { index + 1 };
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::text::tokens;

    fn check(source: &str, expected: &[&str]) {
        let shown: Vec<String> = scan(&tokens(source))
            .into_iter()
            .map(|(line, fault)| format!("{line}: {fault}"))
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn forbidden_names_are_found_where_they_stand() {
        check(
            "use std::collections::HashMap;\nfn f(x: f64) {}\nlet y = 2_f32;",
            &[
                "1: names HashMap: its order differs from run to run: use BTreeMap",
                "2: names f64: floats differ from machine to machine: use integers",
                "3: names f32: floats differ from machine to machine: use integers",
            ],
        );
        check("std::time::SystemTime::now()", &["1: names SystemTime: time is passed in"]);
        check("tokio::spawn(x)", &["1: names tokio: rules do not wait"]);
    }

    #[test]
    fn modules_are_found_alone_and_in_groups() {
        check("std::fs::read(p)", &["1: names std::fs: rules touch no disk"]);
        check(
            "use std::{cmp::{self, net}, fs::File,\n net};",
            &["1: names std::fs: rules touch no disk", "2: names std::net: rules touch no network"],
        );
        check("use core::net::IpAddr; let fs = net;", &[]);
    }

    #[test]
    fn words_are_not_code() {
        check("// HashMap\n/// f64\n\"tokio\"; let hash_map = 0xf64; /* std::fs */", &[]);
    }

    #[test]
    fn tests_may_do_as_they_please() {
        check("#[cfg(test)]\nmod tests { use std::fs; fn f() { HashMap } }\nfn g() {}", &[]);
        check(
            "#[cfg(test)] #[derive(A)] pub fn f(x: [f64; 2]) { f64 } f64",
            &["1: names f64: floats differ from machine to machine: use integers"],
        );
        check("#[cfg(test)] use tokio;\nuse tokio;", &["2: names tokio: rules do not wait"]);
    }
}
