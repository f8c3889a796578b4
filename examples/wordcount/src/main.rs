//! Count the words on stdin: `count word` lines, most frequent first, ties by word.
//!
//! A word is a run of letters and digits in any script, in lower case. An apostrophe, a hyphen or an
//! underscore stays only between two of them: `don't` and `well-known` are one word each, `'tis` is `tis`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut input = Vec::new();
    if let Err(error) = io::stdin().lock().read_to_end(&mut input) {
        return fail(&format!("cannot read stdin: {error}"));
    }
    let text = match std::str::from_utf8(&input) {
        Ok(text) => text,
        Err(error) => {
            return fail(&format!("input is not UTF-8 at byte {}", error.valid_up_to()));
        }
    };
    match io::stdout().lock().write_all(table(text).as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("cannot write stdout: {error}")),
    }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("wordcount: {why}");
    ExitCode::FAILURE
}

/// One `count word` line per distinct word of `text`.
fn table(text: &str) -> String {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for word in words(text) {
        *counts.entry(word).or_default() += 1;
    }
    let mut rows: Vec<(String, u64)> = counts.into_iter().collect();
    // Stable: rows of one count stay in the map's order, which is by word.
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut out = String::new();
    for (word, count) in rows {
        let _ = writeln!(out, "{count} {word}");
    }
    out
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c| !belongs(c) && !joins(c))
        .map(|run| run.trim_matches(joins))
        .flat_map(|run| run.split("--"))
        .map(|run| run.trim_matches(joins))
        .filter(|run| run.chars().any(char::is_alphanumeric))
        .map(|run| run.replace('’', "'").to_lowercase())
}

/// Letters, digits, and the marks inside words that Unicode does not call alphabetic: combining accents of
/// decomposed text, and the nukta and virama of the Indic scripts, at one place in each of their blocks.
fn belongs(c: char) -> bool {
    let accent = ('\u{300}'..='\u{36f}').contains(&c);
    let indic = ('\u{900}'..'\u{d80}').contains(&c) && matches!(u32::from(c) & 0x7f, 0x3c | 0x4d);
    c.is_alphanumeric() || accent || indic
}

fn joins(c: char) -> bool {
    matches!(c, '\'' | '’' | '-' | '_')
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn sorts_by_count_then_word() {
        assert_eq!(table("the cat the dog\n"), "2 the\n1 cat\n1 dog\n");
    }

    #[test]
    fn strips_punctuation_and_case() {
        assert_eq!(table("'Tis, \"TIS\" -- (tis)! a--b"), "3 tis\n1 a\n1 b\n");
        assert_eq!(table("don't don’t well-known"), "2 don't\n1 well-known\n");
    }

    #[test]
    fn knows_other_scripts() {
        assert_eq!(table("Ünï ünï ΣΟΦΟΣ σοφος 世界"), "2 ünï\n2 σοφος\n1 世界\n");
        assert_eq!(table("नमस्ते e\u{301}té"), "1 e\u{301}té\n1 नमस्ते\n");
    }

    #[test]
    fn nothing_gives_nothing() {
        assert_eq!(table(" \n-- ''\t"), "");
    }
}
