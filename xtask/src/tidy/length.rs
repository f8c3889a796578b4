//! Length: a function of more than [`LINES_MAX`] lines does more than its name says.
//!
//! Counted are lines that hold code, from `fn` to the closing brace: comments and blank lines are free, and a text over
//! several lines is one. Functions inside a function count for both.

use super::sources::Source;
use super::text::{Kind, Token, past_group};

/// What fits on two screens.
const LINES_MAX: usize = 100;
/// How many of the longest are shown when none is too long.
const SHOWN: usize = 3;

/// The faults, and the longest functions there are.
pub fn check(sources: &[Source]) -> (Vec<String>, String) {
    let mut all: Vec<(usize, String)> = Vec::new();
    for source in sources {
        for function in functions(&source.tokens) {
            let place = format!("{} ({}:{})", function.name, source.path.display(), function.line);
            all.push((function.lines, place));
        }
    }
    all.sort_by(|a, b| b.cmp(a));
    let faults = all
        .iter()
        .take_while(|(lines, _)| *lines > LINES_MAX)
        .map(|(lines, place)| format!("{place} has {lines} lines, more than {LINES_MAX}"))
        .collect();
    let longest: Vec<String> =
        all.iter().take(SHOWN).map(|(lines, place)| format!("{lines} {place}")).collect();
    (faults, format!("the longest: {}", longest.join(", ")))
}

#[derive(Debug, PartialEq, Eq)]
struct Function<'a> {
    name: &'a str,
    /// Where its `fn` stands.
    line: u32,
    lines: usize,
}

fn functions(tokens: &[Token]) -> Vec<Function<'_>> {
    let mut found = Vec::new();
    for (index, pair) in tokens.windows(2).enumerate() {
        let [word, Token { kind: Kind::Word(name), .. }] = pair else { continue };
        if !word.is_word("fn") {
            continue;
        }
        if let Some(end) = end_of_body(tokens, index) {
            let mut lines: Vec<u32> = tokens[index..end].iter().map(|token| token.line).collect();
            lines.dedup();
            found.push(Function { name, line: word.line, lines: lines.len() });
        }
    }
    found
}

/// The index past the body of the function whose `fn` stands at `begin`; none, if it has no body.
fn end_of_body(tokens: &[Token], begin: usize) -> Option<usize> {
    let mut index = begin;
    loop {
        let token = tokens.get(index)?;
        if token.is(';') {
            return None;
        }
        if token.is('{') {
            return Some(past_group(tokens, index));
        }
        index = if token.is('(') || token.is('[') { past_group(tokens, index) } else { index + 1 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::text::tokens;

    fn check(source: &str, expected: &[(&str, u32, usize)]) {
        let tokens = tokens(source);
        let found: Vec<_> =
            functions(&tokens).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn lines_with_code_are_counted() {
        check("\nfn a() {\n  // why\n\n  b();\n}\nfn c() {}", &[("a", 2, 3), ("c", 7, 1)]);
    }

    #[test]
    fn what_has_no_body_has_no_length() {
        check("trait T { fn a(x: [u8; 4]) -> u8;\n fn b() {} } type F = fn(u8);", &[("b", 2, 1)]);
    }

    #[test]
    fn a_function_inside_counts_for_both() {
        check("fn a() {\nfn b() {\n}\n}", &[("a", 1, 4), ("b", 2, 2)]);
    }

    #[test]
    fn one_line_too_many_fails() {
        let long = |lines: usize| {
            let text = format!("fn f() {{\n{}}}", "x();\n".repeat(lines - 2));
            super::check(&[Source::of("a.rs", &text)]).0
        };
        assert_eq!(long(LINES_MAX), [""; 0]);
        assert_eq!(long(LINES_MAX + 1), ["f (a.rs:1) has 101 lines, more than 100"]);
    }
}
