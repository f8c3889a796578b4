//! The little of `Cargo.toml` and `deny.toml` that rules read: lines of a table, texts of an array.
//!
//! Comments must have a line of their own.

use super::text::{Kind, Token, inside, tokens};

/// The lines of a table, without comments and blank ones.
pub fn table<'a>(manifest: &'a str, name: &str) -> Vec<&'a str> {
    let head = format!("[{name}]");
    let lines = manifest.lines().map(str::trim).skip_while(|line| *line != head).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// The rows of `key = [ … ]` in a table: the texts of each `{ … }`, by name, or one text alone, by the name `""`.
pub fn array(manifest: &str, name: &str, key: &str) -> Vec<Vec<(String, String)>> {
    let text = table(manifest, name).join("\n");
    let tokens = tokens(&text);
    let begin = tokens
        .windows(3)
        .position(|three| three[0].is_word(key) && three[1].is('=') && three[2].is('['));
    let Some(begin) = begin else { return vec![] };
    let mut rows = Vec::new();
    let mut rest = inside(&tokens, begin + 2);
    while let Some(first) = rest.first() {
        let length = if first.is('{') {
            let row = inside(rest, 0);
            rows.push((0..row.len()).filter_map(|at| named(&row[at..])).collect());
            row.len() + 2
        } else {
            if let Kind::Text(text) = &first.kind {
                rows.push(vec![(String::new(), text.clone())]);
            }
            1
        };
        rest = &rest[length..];
    }
    rows
}

/// `name = "text"`, or the first text of `name = ["text"]`.
fn named(tokens: &[Token]) -> Option<(String, String)> {
    let (name, equals, rest) = match tokens {
        [name, equals, open, rest @ ..] if open.is('[') => (name, equals, rest),
        [name, equals, rest @ ..] => (name, equals, rest),
        _ => return None,
    };
    let Kind::Text(text) = &rest.first()?.kind else { return None };
    equals.is('=').then(|| Some((name.word()?.to_owned(), text.clone())))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_ends_where_the_next_begins() {
        let text = "[a]\nx = 1\n# why\n\ny = 2\n[b]\nz = 3";
        assert_eq!(table(text, "a"), ["x = 1", "y = 2"]);
        assert_eq!(table(text, "b"), ["z = 3"]);
        assert_eq!(table(text, "c"), [""; 0]);
    }

    #[test]
    fn rows_are_texts_or_have_names() {
        let text = "[a]\nother = [\"no\"]\nkey = [\n  \"one\",\n  # why\n  { crate = [\"x@1\"], why = \"old\" },\n]\n";
        let rows = array(text, "a", "key");
        let row = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        assert_eq!(rows, [row(&[("", "one")]), row(&[("crate", "x@1"), ("why", "old")])]);
        assert_eq!(array(text, "b", "key").len(), 0);
    }
}
