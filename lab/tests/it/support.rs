//! Running `meshx-lab` in a folder of its own.

use std::process::{Command, Output};

pub struct User(pub tempfile::TempDir);

pub struct Said(Output);

impl User {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn lab(&self, words: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshx-lab"));
        command.args(words).current_dir(self.0.path()).env_clear();
        Said(command.output().unwrap())
    }
}

impl Said {
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.0.status.code(), Some(code), "{} {}", self.text(), self.stderr());
        self
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.0.stdout).unwrap()
    }

    pub fn stderr(&self) -> &str {
        std::str::from_utf8(&self.0.stderr).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.0.stdout).unwrap()
    }
}
