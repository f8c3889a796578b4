//! Limits: crates that are kept small on purpose, and arrows that may not come back by a detour.

use std::collections::BTreeSet;

use super::sources::Source;
use crate::workspace::{Kind, Package};

/// `from` reaches `to` over no chain of arrows: why.
const APART: &[(&str, &str, &str)] =
    &[("edge", "chain", "a worker without a chain must build without one")];

/// Crates with the most lines of source and the most crates of ours that they may name.
const SMALL: &[(&str, usize, usize)] = &[("cli", 4_000, 12)];

pub fn check(packages: &[Package], sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for (from, to, why) in APART {
        if let Some(path) = path(packages, from, to) {
            faults.push(format!("{}: {why}", path.join(" -> ")));
        }
    }
    for (name, lines_max, arrows_max) in SMALL {
        let lines: usize = sources
            .iter()
            .filter(|source| source.package == *name)
            .filter(|source| source.path.components().any(|part| part.as_os_str() == "src"))
            .map(|source| source.lines)
            .sum();
        if lines > *lines_max {
            faults.push(format!("{name} has {lines} lines in src, more than {lines_max}"));
        }
        let arrows = arrows(packages, name).count();
        if arrows > *arrows_max {
            faults.push(format!("{name} names {arrows} crates of ours, more than {arrows_max}"));
        }
    }
    faults
}

/// The crates of ours that `name` is built with.
fn arrows<'a>(packages: &'a [Package], name: &str) -> impl Iterator<Item = &'a str> {
    let package = packages.iter().find(move |package| package.name == name);
    let dependencies = package.into_iter().flat_map(|package| &package.dependencies);
    dependencies.filter(|arrow| arrow.ours && arrow.kind == Kind::Normal).map(|arrow| &*arrow.name)
}

/// A way from one crate to another, with both ends; none if there is none.
fn path<'a>(packages: &'a [Package], from: &'a str, to: &str) -> Option<Vec<&'a str>> {
    let mut seen = BTreeSet::from([from]);
    let mut paths = vec![vec![from]];
    while let Some(path) = paths.pop() {
        let end = path.last().copied()?;
        if end == to {
            return Some(path);
        }
        for next in arrows(packages, end).filter(|next| seen.insert(*next)) {
            paths.push([&path[..], &[next]].concat());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::fixture;

    #[test]
    fn a_detour_is_found() {
        let detour = fixture(&["edge -> worker", "worker -> chain", "chain"]);
        assert_eq!(
            check(&detour, &[]),
            ["edge -> worker -> chain: a worker without a chain must build without one"]
        );
        let tests = fixture(&["edge -> worker, dev:chain", "worker", "chain"]);
        assert_eq!(check(&tests, &[]), [""; 0]);
    }

    #[test]
    fn a_small_crate_stays_small() {
        let file = |lines: usize| {
            let source = Source::of("crates/cli/src/main.rs", &"a();\n".repeat(lines));
            [Source { package: "cli".into(), ..source }]
        };
        assert_eq!(check(&[], &file(4_000)), [""; 0]);
        assert_eq!(check(&[], &file(4_001)), ["cli has 4001 lines in src, more than 4000"]);
        let names: Vec<String> = (0..13).map(|n| format!("x{n}")).collect();
        let cli = format!("cli -> {}", names.join(", "));
        let lines: Vec<&str> = std::iter::once(&*cli).chain(names.iter().map(|n| &**n)).collect();
        assert_eq!(check(&fixture(&lines), &[]), ["cli names 13 crates of ours, more than 12"]);
        let lines: Vec<&str> = lines.into_iter().filter(|name| *name != "x12").collect();
        assert_eq!(check(&fixture(&lines), &[]), [""; 0]);
    }
}
