//! Running `meshx` with a home of its own.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

pub const MESHX: &str = env!("CARGO_BIN_EXE_meshx");

/// A user with an empty home.
pub struct User {
    pub home: tempfile::TempDir,
    node: Option<String>,
}

pub struct Said {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Said {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            code,
            "stdout: {}\nstderr: {}",
            String::from_utf8_lossy(&self.stdout),
            self.stderr
        );
        self
    }
}

impl User {
    pub fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), node: None }
    }

    /// The same user, talking to this node.
    pub fn on(mut self, node: &str) -> Self {
        self.node = Some(node.to_owned());
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(MESHX);
        command.args(args).current_dir(self.home.path()).env_clear().env("HOME", self.home.path());
        if let Some(node) = &self.node {
            command.env("MESHX_NODE", node);
        }
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command
    }

    pub fn meshx(&self, args: &[&str], input: &[u8]) -> Said {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that refuses its arguments does not read its input.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        let code = output.status.code().expect("not killed");
        Said { code, stdout: output.stdout, stderr: String::from_utf8(output.stderr).unwrap() }
    }

    /// Start a command that stays, and wait for a line of stdout that contains `mark`.
    pub fn start(&self, args: &[&str], mark: &str) -> (Running, String) {
        let mut child = self
            .command(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.by_ref().map(Result::unwrap).find(|line| line.contains(mark));
        let line = line.unwrap_or_else(|| panic!("{args:?} ended before it said {mark:?}"));
        // Read on, so that the process never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        (Running(child), line)
    }
}

/// A process that ends with the test.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn example(name: &str) -> String {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(format!("{name}.wasm"));
    assert!(path.exists(), "{} is committed", path.display());
    path.to_str().unwrap().to_owned()
}
