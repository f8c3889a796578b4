//! One line that says how far something is.

use std::io::{IsTerminal as _, Write as _};

/// One line that changes in place on a terminal, and says nothing on a pipe. It goes when this does.
pub struct Progress {
    shown: bool,
}

impl Progress {
    /// Nothing is shown until something is said.
    #[must_use]
    pub fn new() -> Self {
        Self { shown: std::io::stderr().is_terminal() }
    }

    /// Show `text` instead of what was shown before.
    pub fn say(&self, text: &str) {
        if self.shown {
            eprint!("\r\x1b[2K{text}");
            let _ = std::io::stderr().flush();
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.say("");
    }
}
