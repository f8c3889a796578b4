//! Talking to people: on stderr, and less of it when nobody watches.

use std::io::{IsTerminal as _, Write as _};

/// Print a failure: what happened, its causes, and the hint last.
pub fn failure(error: &anyhow::Error) {
    let mut hints = Vec::new();
    // An error may tell its cause itself; nobody wants to read that twice.
    let whole = error.to_string();
    for (depth, cause) in error.chain().enumerate() {
        for line in cause.to_string().lines() {
            match line.strip_prefix("hint: ") {
                Some(hint) => hints.push(hint.to_owned()),
                None if depth == 0 => eprintln!("error: {line}"),
                None if whole.contains(line) => {}
                None => eprintln!("  because: {line}"),
            }
        }
    }
    for hint in hints {
        eprintln!("hint: {hint}");
    }
}

/// One line that changes in place on a terminal, and says nothing on a pipe.
pub struct Progress {
    shown: bool,
}

impl Progress {
    pub fn new() -> Self {
        Self { shown: std::io::stderr().is_terminal() }
    }

    pub fn say(&self, text: &str) {
        if self.shown {
            eprint!("\r\x1b[2K{text}");
            let _ = std::io::stderr().flush();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.say("");
    }
}

/// Write bytes to stdout. A reader that went away is no error of ours.
pub fn to_stdout(bytes: &[u8]) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Print one line to stdout. What cannot be written is left: nobody reads it.
pub fn line(text: &str) {
    let _ = to_stdout(format!("{text}\n").as_bytes());
}
