//! Words in capitals that a reader replaces.

/// What those stand for that mean the same on every page: the command that prints it. `$SAID` holds what each command of
/// the page printed.
pub const USUAL: [(&str, &str); 4] = [
    ("JOB", "meshx job list | sed -n '2s/ .*//p'"),
    (
        "OPERATOR",
        r#"meshx stake validators --output json | sed 's/.*"operator":"\([^"]*\)".*/\1/'"#,
    ),
    ("ID", r#"sed -n 's/^join .*--network \([^ ]*\) .*/\1/p' "$SAID"/*.out | tail -n 1"#),
    ("ADDRESS", r#"sed -n 's/^join .*--join //p' "$SAID"/*.out | tail -n 1"#),
];

/// `command` with `value` wherever `name` stands as a word of its own.
pub fn fill(command: &str, name: &str, value: &str) -> String {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut filled = String::new();
    let mut rest = command;
    while let Some(at) = rest.find(name) {
        let (before, after) = (&rest[..at], &rest[at + name.len()..]);
        filled += before;
        let inside = before.ends_with(part_of_word) || after.starts_with(part_of_word);
        filled += if inside { name } else { value };
        rest = after;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn only_whole_words_are_filled() {
        assert_eq!(fill("a --id ID/x IDS VOID A_ID ID", "ID", "d"), "a --id d/x IDS VOID A_ID d");
    }
}
