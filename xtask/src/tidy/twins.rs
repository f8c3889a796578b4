//! Twins: two places that share [`LINES`] lines or more are one thing that stands twice, and will drift apart.
//!
//! Lines are compared as tokens, so that white space and comments make no difference. Blank lines, lone punctuation, `use`
//! and `mod` lines do not count. Renamed copies are not found.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use super::sources::Source;
use super::text::{Kind, Token};

const LINES: usize = 8;

/// What begins the paths of two places, and why they may share what they do.
type Excuse = (&'static str, &'static str, &'static str);

/// What may stand twice.
const BOILERPLATE: &[Excuse] = &[
    ("sim/", "crates/consensus/src/transition.rs", SIGNATURE),
    ("sim/tests/it/planted.rs", "sim/tests/it/planted.rs", SIGNATURE),
    ("crates/overlay/src/home.rs", "crates/overlay/src/tor.rs", SIGNATURE),
    (
        "crates/jobs/src/step/",
        "crates/chain/",
        "tests of two crates begin with the same small job: to share it would take a third crate",
    ),
    (
        "crates/chain/tests/it/model/operations.rs",
        "crates/chain/tests/it/model/operations.rs",
        "an enum, and the list of its rarer variants",
    ),
];
const SIGNATURE: &str = "an implementation repeats its trait's signatures";

/// A line that counts, and where it stands.
struct Line {
    text: String,
    number: u32,
}

/// Where a run of lines begins: the file, and the line among those that count.
#[derive(Clone, Copy)]
struct Place {
    file: usize,
    line: usize,
}

/// Two places that share `length` lines.
struct Twins {
    first: Place,
    second: Place,
    length: usize,
}

pub fn check(sources: &[Source]) -> Vec<String> {
    faults(sources, BOILERPLATE)
}

fn faults(sources: &[Source], excuses: &[Excuse]) -> Vec<String> {
    let files: Vec<Vec<Line>> = sources.iter().map(|source| lines(&source.tokens)).collect();
    let mut used = vec![false; excuses.len()];
    let mut faults = Vec::new();
    for twins in twins(&files) {
        let [first, second] = [twins.first, twins.second].map(|place| &sources[place.file].path);
        if let Some(row) = excuse(excuses, first, second) {
            used[row] = true;
            continue;
        }
        let number = |place: Place| files[place.file][place.line].number;
        faults.push(format!(
            "{}:{} repeats {} lines of {}:{}",
            second.display(),
            number(twins.second),
            twins.length,
            first.display(),
            number(twins.first),
        ));
    }
    for ((first, second, _), _) in excuses.iter().zip(used).filter(|(_, used)| !used) {
        faults.push(format!(
            "{first} and {second} share nothing now: strike them (xtask/src/tidy/twins.rs)"
        ));
    }
    faults
}

/// The row of the table that lets these two stand.
fn excuse(excuses: &[Excuse], first: &Path, second: &Path) -> Option<usize> {
    let begins = |path: &Path, with: &str| path.to_string_lossy().starts_with(with);
    excuses.iter().position(|(a, b, _)| {
        (begins(first, a) && begins(second, b)) || (begins(first, b) && begins(second, a))
    })
}

/// Each run of lines that stands a second time, with the first place it stands at.
fn twins(files: &[Vec<Line>]) -> Vec<Twins> {
    let mut seen: BTreeMap<Vec<&str>, Place> = BTreeMap::new();
    let mut found = Vec::new();
    for (file, lines) in files.iter().enumerate() {
        let mut reported = 0; // lines before this one belong to a run that is reported
        for line in 0..(lines.len() + 1).saturating_sub(LINES) {
            let window = lines[line..line + LINES].iter().map(|line| &*line.text).collect();
            let here = Place { file, line };
            let first = match seen.entry(window) {
                Entry::Vacant(place) => {
                    place.insert(here);
                    continue;
                }
                Entry::Occupied(place) => *place.get(),
            };
            let length = common(files, first, here);
            if line >= reported && length >= LINES {
                reported = line + length;
                found.push(Twins { first, second: here, length });
            }
        }
    }
    found
}

/// How many lines the two places share; in one file, without overlap.
fn common(files: &[Vec<Line>], first: Place, second: Place) -> usize {
    let [a, b] = [first, second].map(|place| &files[place.file][place.line..]);
    let most = if first.file == second.file { second.line - first.line } else { usize::MAX };
    a.iter().zip(b).take_while(|(a, b)| a.text == b.text).take(most).count()
}

fn lines(tokens: &[Token]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        let number = tokens[index].line;
        if let Some(end) = past_import(tokens, index) {
            index = end;
            continue;
        }
        let end = index + tokens[index..].iter().take_while(|token| token.line == number).count();
        let line = &tokens[index..end];
        if line.iter().any(|token| !matches!(token.kind, Kind::Sign(_))) {
            lines.push(Line { text: shown(line), number });
        }
        index = end;
    }
    lines
}

/// The index past the `use …;` or `mod …;` that the line at `begin` opens with, `pub` or not.
fn past_import(tokens: &[Token], begin: usize) -> Option<usize> {
    let mut rest = tokens[begin..].iter().take_while(|token| !token.is(';'));
    let visibility = |token: &Token| {
        matches!(&token.kind, Kind::Word(word) if ["pub", "crate", "super"].contains(&&**word))
            || token.is('(')
            || token.is(')')
    };
    let word = rest.find(|token| !visibility(token))?;
    let import = word.is_word("use") || (word.is_word("mod") && !rest.any(|token| token.is('{')));
    let length = tokens[begin..].iter().position(|token| token.is(';'))?;
    import.then_some(begin + length + 1)
}

fn shown(line: &[Token]) -> String {
    let mut text = String::new();
    for token in line {
        match &token.kind {
            Kind::Word(word) => text.extend([word.as_str(), " "]),
            Kind::Text(literal) => text.extend(["\"", literal, "\" "]),
            Kind::Sign(sign) => text.push(*sign),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight lines that differ from one another, each followed by what `after` is.
    fn body(after: &str) -> String {
        (0..LINES).map(|line| format!("    step_{line}(x);{after}\n")).collect()
    }

    fn check(texts: &[&str], expected: &[&str]) {
        let names = ["a.rs", "b.rs"];
        let sources: Vec<Source> =
            names.iter().zip(texts).map(|(name, text)| Source::of(name, text)).collect();
        assert_eq!(faults(&sources, &[]), expected);
    }

    #[test]
    fn eight_lines_twice_are_found_once() {
        let [a, b] = [format!("fn a() {{\n{}}}", body("")), format!("fn b() {{\n{}}}", body(""))];
        check(&[&a, &b], &["b.rs:2 repeats 8 lines of a.rs:2"]);
        let longer = a.replace("fn a() {", "fn a() {\nlet x = 1;");
        let other = longer.replace("fn a()", "fn b()");
        check(&[&longer, &other], &["b.rs:2 repeats 9 lines of a.rs:2"]);
    }

    #[test]
    fn seven_lines_are_fine() {
        let [a, b] = [body(""), body("").replace("step_3", "other")];
        check(&[&a, &b], &[]);
    }

    #[test]
    fn space_comments_and_punctuation_make_no_difference() {
        let spaced = body("\n\n    // why\n    }").replace("    step", "\tstep ");
        let spaced = spaced.replace("step ", "step");
        check(&[&body(""), &spaced], &["b.rs:1 repeats 8 lines of a.rs:1"]);
    }

    #[test]
    fn imports_are_no_lines() {
        let imports: String =
            (0..20).map(|n| format!("use a::b{n};\npub(crate) mod c{n};\n")).collect();
        check(&[&imports, &imports], &[]);
        let long = format!("use a::{{\n{}}};", body("").replace("(x);", ","));
        check(&[&long, &long], &[]);
    }

    #[test]
    fn one_file_can_repeat_itself() {
        let twice = format!("{}fn b() {{\n{}}}", body(""), body(""));
        check(&[&twice], &["a.rs:10 repeats 8 lines of a.rs:1"]);
        let row = "    0,\n".repeat(15);
        check(&[&row], &[]);
    }

    #[test]
    fn an_excuse_is_struck_when_nothing_needs_it() {
        let sources = ["a.rs", "b.rs"].map(|name| Source::of(name, &body("")));
        let excuses = [("b.rs", "a.rs", "a signature")];
        assert_eq!(faults(&sources, &excuses), [""; 0]);
        assert_eq!(
            faults(&sources[..1], &excuses),
            ["b.rs and a.rs share nothing now: strike them (xtask/src/tidy/twins.rs)"]
        );
    }
}
