//! Running `meshx` with a home of its own.

use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, mpsc},
    time::{Duration, Instant},
};

pub const MESHX: &str = env!("CARGO_BIN_EXE_meshx");

/// A user with an empty home.
pub struct User {
    pub home: tempfile::TempDir,
    node: Option<String>,
    /// A wallet file of its own, instead of the development wallet that is everyone's.
    wallet: Option<String>,
}

/// Longest wait for anything that takes an epoch or an unbonding period of a local mesh.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Said {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Said {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }
    pub fn json(&self) -> Value {
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
        Self { home: tempfile::tempdir().unwrap(), node: None, wallet: None }
    }

    /// The same user, talking to this node.
    pub fn on(mut self, node: &str) -> Self {
        self.node = Some(node.to_owned());
        self
    }

    /// A mesh with ten blocks a second, and the address of its node.
    pub fn start_quick_mesh(&self) -> (Running, String) {
        let words = ["up", "--listen", "127.0.0.1:0", "--output", "json", "--latency", "none"];
        let words: Vec<&str> = words.into_iter().chain(["--block-ms", "100"]).collect();
        let (mesh, ready) = self.start(&words, "ready");
        let ready: Value = serde_json::from_str(&ready).unwrap();
        (mesh, ready["node"].as_str().unwrap().to_owned())
    }

    /// A user with a new wallet, on a mesh of its own with ten blocks a second; and the wallet's address.
    pub fn on_a_quick_mesh() -> (Running, Self, String) {
        let mut user = Self::new();
        let (mesh, node) = user.start_quick_mesh();
        user = user.on(&node);
        user.wallet = Some(user.path("wallet").to_str().unwrap().to_owned());
        let address = user.meshx(&["wallet", "new"], b"").exits(0).text().trim().to_owned();
        (mesh, user, address)
    }

    pub fn json(&self, args: &[&str]) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["--output", "json"]).collect();
        self.meshx(&args, b"").exits(0).json()
    }

    /// Ask again until `done` finds what it looks for.
    #[track_caller]
    pub fn until<T>(&self, args: &[&str], mut done: impl FnMut(&Value) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            let said = self.json(args);
            if let Some(found) = done(&said) {
                return found;
            }
            assert!(start.elapsed() < PATIENCE, "{args:?} still says {said}");
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Ask again until there is an answer.
    #[track_caller]
    pub fn until_found(&self, args: &[&str]) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["--output", "json"]).collect();
        let start = Instant::now();
        loop {
            let said = self.meshx(&args, b"");
            if said.code == 0 {
                return said.json();
            }
            assert!(start.elapsed() < PATIENCE, "{args:?} still says {}", said.stderr);
            std::thread::sleep(Duration::from_millis(500));
        }
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
        if let Some(wallet) = &self.wallet {
            command.args(["--wallet", wallet]).env("MESHX_PASSPHRASE", "p");
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
        let (tell, said) = mpsc::channel();
        std::thread::spawn(move || lines.for_each(|line| drop(line.map(|line| tell.send(line)))));
        (Running { child, said: Mutex::new(said) }, line)
    }
}

/// A process that ends with the test.
pub struct Running {
    pub child: Child,
    said: Mutex<mpsc::Receiver<String>>,
}

impl Running {
    /// Wait for a later line of stdout that contains `mark`.
    #[track_caller]
    pub fn says(&self, mark: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.said.lock().unwrap().recv_timeout(left);
            let line = line.unwrap_or_else(|error| panic!("it never says {mark:?}: {error}"));
            if line.contains(mark) {
                return line;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An amount of JSON: a text of nano.
pub fn nano(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

pub fn example(name: &str) -> String {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(format!("{name}.wasm"));
    assert!(path.exists(), "{} is committed", path.display());
    path.to_str().unwrap().to_owned()
}
