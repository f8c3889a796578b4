//! Processes of `meshx` in namespaces of the network, for the labs. All of them end with the lab.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

/// Longest wait for anything.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A folder, a copy of the program in it, and what runs.
pub struct Lab {
    pub home: PathBuf,
    binary: PathBuf,
    namespaces: Vec<String>,
    running: Mutex<Vec<(String, Child)>>,
}

impl Lab {
    /// # Errors
    /// If this is not root, or the machine has no namespaces.
    pub fn new(name: &str, binary: &Path) -> Result<Self> {
        let home = std::env::temp_dir().join(format!("meshx-{name}-{}", std::process::id()));
        fs::create_dir_all(&home)?;
        // Where every user of the lab may read it.
        let copy = home.join("meshx");
        fs::copy(binary, &copy).with_context(|| format!("no {}", binary.display()))?;
        Ok(Self { home, binary: copy, namespaces: Vec::new(), running: Mutex::default() })
    }

    /// A namespace with nothing but its loopback.
    pub fn namespace(&mut self, name: &str) -> Result<()> {
        // What a killed lab may have left.
        drop(Command::new("ip").args(["netns", "del", name]).output());
        sh(&["ip", "netns", "add", name])?;
        self.namespaces.push(name.to_owned());
        self.inside(name, &["ip", "link", "set", "lo", "up"])
    }

    /// Run something that ends, in a namespace.
    pub fn inside(&self, namespace: &str, words: &[&str]) -> Result<()> {
        sh(&[&["ip", "netns", "exec", namespace], words].concat())
    }

    /// `meshx`, in a namespace, as it would be typed in the lab's folder.
    pub fn meshx(&self, namespace: &str, words: &[&str]) -> Command {
        let binary = self.binary.to_str().expect("a path that is text");
        self.command(namespace, &[&[binary], words].concat())
    }

    pub fn command(&self, namespace: &str, words: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace]).args(words);
        command.current_dir(&self.home).env("HOME", &self.home).stdin(Stdio::null());
        for base in ["CONFIG", "DATA", "STATE", "CACHE"] {
            command.env_remove(format!("XDG_{base}_HOME"));
        }
        command
    }

    /// The program's place, for a command that begins with another word.
    pub fn binary(&self) -> &str {
        self.binary.to_str().expect("a path that is text")
    }

    /// Start `command` under `name`, and wait until it says `mark`; what it has said by then.
    pub fn start(&self, name: &str, mut command: Command, mark: &str) -> Result<String> {
        let log = self.home.join(format!("{name}.log"));
        let out = File::create(&log)?;
        let child = command.stdout(out.try_clone()?).stderr(out).spawn()?;
        self.running().push((name.to_owned(), child));
        self.says(name, mark)
    }

    pub fn says(&self, name: &str, mark: &str) -> Result<String> {
        let log = self.home.join(format!("{name}.log"));
        within(PATIENCE, || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            match text.lines().any(|line| line.trim_start().starts_with(mark)) {
                true => Ok(text),
                false => bail!("{name} does not say {mark:?}:\n{text}"),
            }
        })
    }

    /// Without a word, as when the power goes.
    pub fn kill(&self, name: &str) -> Result<()> {
        let mut running = self.running();
        let at = running.iter().position(|(of, _)| of == name).context("it does not run")?;
        let (_, mut child) = running.swap_remove(at);
        drop(running);
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    fn running(&self) -> MutexGuard<'_, Vec<(String, Child)>> {
        self.running.lock().expect("nothing panics with it")
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for (_, child) in &mut *self.running() {
            drop(child.kill());
            drop(child.wait());
        }
        for namespace in &self.namespaces {
            drop(Command::new("ip").args(["netns", "del", namespace]).output());
        }
        drop(fs::remove_dir_all(&self.home));
    }
}

/// Try until it works.
pub fn within<T>(patience: Duration, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let begun = Instant::now();
    loop {
        match attempt() {
            Ok(done) => return Ok(done),
            Err(error) if begun.elapsed() > patience => return Err(error),
            Err(_) => thread::sleep(Duration::from_millis(200)),
        }
    }
}

pub fn sh(words: &[&str]) -> Result<()> {
    done(Command::new(words[0]).args(&words[1..])).map(drop)
}

/// What it said; it must end well.
pub fn done(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}:\n{}", text(&output));
    Ok(text(&output))
}

pub fn text(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

/// The word after the one that `mark` is, in the line that begins with it.
pub fn word(said: &str, mark: &str) -> Result<String> {
    let line = said.lines().find(|line| line.trim_start().starts_with(mark));
    let word = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(word.with_context(|| format!("no {mark:?} in\n{said}"))?.to_owned())
}
