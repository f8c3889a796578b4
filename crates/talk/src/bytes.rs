//! A job's own bytes, at a terminal or in a pipe.

use crate::{note, to_stdout};
use std::io::{self, IsTerminal as _, Write as _};

/// Show a job's output. A terminal is not sent what would upset it, unless `raw`.
///
/// # Errors
/// As [`to_stdout`].
pub fn show_stdout(bytes: &[u8], raw: bool) -> io::Result<()> {
    let terminal = io::stdout().is_terminal();
    if terminal && let Some(instead) = not_for_a_terminal(bytes, raw) {
        note(&instead);
        return Ok(());
    }
    to_stdout(bytes)?;
    if terminal && bytes.last().is_some_and(|last| *last != b'\n') {
        std::eprintln!();
    }
    Ok(())
}

/// What is said in place of bytes that are not text, or that would move the cursor.
fn not_for_a_terminal(bytes: &[u8], raw: bool) -> Option<String> {
    let plain =
        |text: &str| text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
    let harmless = std::str::from_utf8(bytes).is_ok_and(plain);
    (!harmless && !raw).then(|| {
        format!(
            "the output is {} bytes that are not plain text\nhint: save them with > FILE, or show them with --raw",
            bytes.len()
        )
    })
}

/// Pass on what a job wrote to stderr: byte for byte to a file or a pipe, and harmless at a terminal. What we say
/// ourselves begins a line of its own.
pub fn to_stderr(bytes: &[u8]) {
    let mut stderr = io::stderr().lock();
    let shown = match stderr.is_terminal() {
        true => harmless(bytes).into_bytes(),
        false => bytes.to_vec(),
    };
    // Nobody reads it, if it cannot be written.
    let _ = stderr.write_all(&shown);
    if shown.last().is_some_and(|last| *last != b'\n') {
        let _ = stderr.write_all(b"\n");
    }
}

/// The text with its control characters written out: a stranger's job must not command a terminal.
fn harmless(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let shown = |c: char| match c {
        '\n' | '\t' => c.to_string(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_not_sent_what_would_upset_it() {
        assert_eq!(not_for_a_terminal("plain, and żółć\n".as_bytes(), false), None);
        assert_eq!(not_for_a_terminal(b"\x7fELF\0", true), None);
        for bytes in [&b"\x7fELF\0"[..], b"\xff\xfe", b"\x1b[2J", b"\x1b]0;title\x07"] {
            assert!(not_for_a_terminal(bytes, false).unwrap().contains("hint: save them"));
        }
        assert_eq!(harmless(b"red\x1b[31m\n"), "red\\u{1b}[31m\n");
    }
}
