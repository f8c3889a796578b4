//! One `meshx` process: start it, watch it, kill it.

use anyhow::{Context as _, Result};
use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

/// What a failure of meshx itself exits with.
pub const EXIT: i32 = 125;

/// How long a start may take before it counts as a hang. meshx itself gives up after a minute.
const START_TIMEOUT: Duration = Duration::from_secs(90);
/// How long a refusal may take.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(90);

/// The program under torture, and where it and its user live.
#[derive(Clone, Debug)]
pub struct Binary {
    path: PathBuf,
    home: PathBuf,
}

/// What came of a start.
pub enum Start {
    /// It runs, and every chain has a final block.
    Ready(Mesh),
    /// It ended by itself before it was ready.
    Ended(Ended),
    /// It was neither ready nor gone in time; it was killed.
    Hung(String),
}

/// How a process ended, and what it said.
#[derive(Clone, Debug)]
pub struct Ended {
    /// `None`: by a signal.
    pub code: Option<i32>,
    /// All that it wrote to standard error.
    pub stderr: String,
}

impl Ended {
    /// Whether a person can do something with it: the exit code of a failure of our own, what happened,
    /// what to try, and no stack trace.
    pub fn is_clear(&self) -> bool {
        // As lines, or as the JSON that was asked for.
        let says =
            |line: &str, field: &str| self.stderr.contains(line) || self.stderr.contains(field);
        self.code == Some(EXIT)
            && says("error: ", "\"error\":\"")
            && says("hint: ", "\"hints\":[\"")
            && !self.stderr.contains("panicked at")
            && !self.stderr.contains("stack backtrace")
    }

    /// Its first words, on one line.
    pub fn words(&self) -> String {
        let text = self.stderr.trim().replace('\n', " | ");
        format!("exit {:?}: {}", self.code, text.chars().take(400).collect::<String>())
    }
}

fn expect_ready(start: Start) -> Result<Mesh> {
    match start {
        Start::Ready(mesh) => Ok(mesh),
        Start::Ended(ended) => anyhow::bail!("it did not start: {}", ended.words()),
        Start::Hung(stderr) => anyhow::bail!("it hung at its start: {stderr}"),
    }
}

/// What a process is to be, and how it says that it is.
#[derive(Clone, Copy)]
enum Verb {
    /// A whole mesh.
    Up,
    /// One node of a network.
    Node,
}

impl Verb {
    const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Up => &[
                "up",
                "--listen",
                "127.0.0.1:0",
                "--output",
                "json",
                "--term-blocks",
                "32",
                "--data",
            ],
            Self::Node => &["node", "start", "--dir"],
        }
    }

    /// Whether this line says that it is ready; `url` is where it then listens.
    fn is_ready(self, line: &str, url: &mut String) -> bool {
        match self {
            Self::Up => {
                let ready: Option<serde_json::Value> = serde_json::from_str(line).ok();
                match ready.as_ref().and_then(|ready| ready["node"].as_str()) {
                    Some(node) => node.clone_into(url),
                    None => return false,
                }
                true
            }
            Self::Node => {
                if let Some(node) = line.strip_prefix("node ") {
                    node.trim().clone_into(url);
                }
                line == "ready"
            }
        }
    }
}

/// A process that runs; killed when this is dropped.
pub struct Mesh {
    child: Child,
    /// The base URL of its API.
    pub url: String,
    /// From the start until it was ready.
    pub took: Duration,
    stderr: PathBuf,
}

impl Binary {
    /// `home` is made for the program to keep its user's things in.
    ///
    /// # Errors
    /// If there is no such program, or no such place.
    pub fn new(path: &Path, home: &Path) -> Result<Self> {
        let path =
            path.canonicalize().with_context(|| format!("there is no {}", path.display()))?;
        fs::create_dir_all(home)?;
        Ok(Self { path, home: home.canonicalize()? })
    }

    fn spawn(&self, verb: Verb, folder: &Path, stderr: &Path) -> Result<Child> {
        Command::new(&self.path)
            .args(verb.words())
            .arg(folder)
            .env_clear()
            .env("HOME", &self.home)
            .current_dir(&self.home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(stderr)?)
            .spawn()
            .with_context(|| format!("cannot start {}", self.path.display()))
    }

    /// `meshx up --data FOLDER`, until it is ready or has ended.
    ///
    /// # Errors
    /// If the machine cannot start a process.
    pub fn start(&self, folder: &Path) -> Result<Start> {
        self.start_as(Verb::Up, folder)
    }

    /// `meshx node start --dir FOLDER`, until it is ready.
    ///
    /// # Errors
    /// What it said instead.
    pub fn start_node(&self, folder: &Path) -> Result<Mesh> {
        expect_ready(self.start_as(Verb::Node, folder)?)
    }

    /// Run `meshx` with `words` to its end.
    ///
    /// # Errors
    /// What it said if it failed.
    pub fn run(&self, words: &[&str]) -> Result<()> {
        let output = Command::new(&self.path)
            .args(words)
            .env_clear()
            .env("HOME", &self.home)
            .current_dir(&self.home)
            .output()?;
        if !output.status.success() {
            anyhow::bail!("meshx {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    fn start_as(&self, verb: Verb, folder: &Path) -> Result<Start> {
        let begun = Instant::now();
        let stderr = self.home.join(format!("stderr-{}", folder_name(folder)));
        let mut child = self.spawn(verb, folder, &stderr)?;
        let mut url = String::new();
        let (send, lines) = mpsc::channel();
        let stdout = child.stdout.take().context("stdout is piped")?;
        // Reads on until the process is gone, so that it never waits for us.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        let deadline = begun + START_TIMEOUT;
        loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if verb.is_ready(&line, &mut url) {
                        let took = begun.elapsed();
                        return Ok(Start::Ready(Mesh { child, url, took, stderr }));
                    }
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    // Stdout is closed: it is about to end.
                    let code = wait(&mut child, REFUSAL_TIMEOUT)?;
                    let text = fs::read_to_string(&stderr).unwrap_or_default();
                    return Ok(match code {
                        Some(code) => Start::Ended(Ended { code: Some(code), stderr: text }),
                        None => Start::Hung(text),
                    });
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Ok(Start::Hung(fs::read_to_string(&stderr).unwrap_or_default()));
                }
            }
        }
    }

    /// [`Self::start`] where nothing but success is expected.
    ///
    /// # Errors
    /// What it said instead.
    pub fn start_ready(&self, folder: &Path) -> Result<Mesh> {
        expect_ready(self.start(folder)?)
    }

    /// Start and kill `after` that long, ready or not.
    ///
    /// # Errors
    /// If the machine cannot start a process.
    pub fn start_and_kill(&self, folder: &Path, after: Duration) -> Result<()> {
        let stderr = self.home.join(format!("stderr-{}", folder_name(folder)));
        let mut child = self.spawn(Verb::Up, folder, &stderr)?;
        std::thread::sleep(after);
        child.kill()?;
        child.wait()?;
        Ok(())
    }
}

impl Mesh {
    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and gone.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// How it ended, if it did within `patience`.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn ended(&mut self, patience: Duration) -> Result<Option<Ended>> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait()? {
                let stderr = fs::read_to_string(&self.stderr).unwrap_or_default();
                return Ok(Some(Ended { code: status.code(), stderr }));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Memory it holds, in MiB; 0 where the system does not say.
    pub fn memory_mib(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
        kib.unwrap_or(0.0) / 1_024.0
    }
}

impl Drop for Mesh {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The exit code (-1: a signal), or `None` after killing what did not end in time.
fn wait(child: &mut Child, patience: Duration) -> Result<Option<i32>> {
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.code().unwrap_or(-1)));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

fn folder_name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
