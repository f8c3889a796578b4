//! One reader's machine: a copy of the repository, an empty home, and what runs in its terminals.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::scratch::Scratch;

/// Commands that stay until they are stopped, and how a line begins that says that they are ready.
const STAYING: [(&str, &str); 5] = [
    ("meshx up", "ready"),
    ("meshx provide", "ready"),
    ("meshx node start --role edge", "node"),
    ("meshx node start", "ready"),
    ("meshx presence attend", "ready"),
];
/// How long what is stopped may take to end.
const GRACE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);

pub struct Session {
    scratch: Scratch,
    /// The programs of this build come first.
    path: OsString,
    commands: usize,
    /// What was exported so far. Each command has a shell of its own, and a reader has one terminal.
    exports: String,
    running: Vec<Running>,
}

struct Running {
    command: String,
    child: Child,
    ready: &'static str,
    said: PathBuf,
}

/// How a command ended, and what it printed.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Session {
    /// Copy what git knows of the repository at `root`. Programs are looked for in `tools` first.
    pub fn new(root: &Path, tools: &Path) -> Result<Self> {
        let scratch = Scratch::new("docs")?;
        let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output();
        let listed = listed.context("cannot start git")?;
        ensure!(listed.status.success(), "git does not list the files of {}", root.display());
        for name in String::from_utf8(listed.stdout)?.split_terminator('\0') {
            let (from, to) = (root.join(name), scratch.path().join("clone").join(name));
            // What was deleted and is not committed yet is listed all the same.
            if from.is_file() {
                fs::create_dir_all(to.parent().context("a file lies in a folder")?)?;
                fs::copy(&from, &to).with_context(|| format!("cannot copy {name}"))?;
            }
        }
        for folder in ["home", "tmp", "said"] {
            fs::create_dir_all(scratch.path().join(folder))?;
        }
        let usual = std::env::var_os("PATH").unwrap_or_default();
        let folders = [tools.to_owned()].into_iter().chain(std::env::split_paths(&usual));
        let path = std::env::join_paths(folders)?;
        Ok(Self { scratch, path, commands: 0, exports: String::new(), running: Vec::new() })
    }

    /// Whether a command is to be left running.
    pub fn stays(command: &str) -> Option<&'static str> {
        let staying = STAYING.iter().find(|(words, _)| command.starts_with(words));
        staying.map(|(_, ready)| *ready)
    }

    /// Have `command`, which exports something, hold for all that follow.
    pub fn export(&mut self, command: &str) {
        self.exports.push_str(command);
        self.exports.push('\n');
    }

    /// Run a command until it ends, once all that was started is ready.
    pub fn run(&mut self, command: &str, until: Instant) -> Result<Ended> {
        self.ready(until)?;
        let (mut bash, said) = self.bash(command)?;
        // A group of its own, so that what it started ends with it.
        let mut child = bash.process_group(0).spawn().context("cannot start bash")?;
        let status = wait(&mut child, until);
        signal("KILL", &format!("-{}", child.id()));
        if status.is_none() {
            child.wait()?;
            bail!("it did not end in time; it printed:\n{}", read(&said));
        }
        let text = |end| {
            fs::read(said.with_extension(end)).map(|b| String::from_utf8_lossy(&b).into_owned())
        };
        Ok(Ended {
            code: status.and_then(|status| status.code()),
            stdout: text("out")?,
            stderr: text("err")?,
        })
    }

    /// Start a command that stays, as in a terminal of its own.
    pub fn start(&mut self, command: &str, ready: &'static str) -> Result<()> {
        let (mut bash, said) = self.bash(&format!("exec {command}"))?;
        // In our group: Ctrl-C ends it, too.
        let child = bash.spawn().context("cannot start bash")?;
        self.running.push(Running { command: command.to_owned(), child, ready, said });
        Ok(())
    }

    /// Wait until all that was started says that it is ready.
    pub fn ready(&mut self, until: Instant) -> Result<()> {
        for running in &mut self.running {
            loop {
                let said = read(&running.said);
                if said.lines().any(|line| line.starts_with(running.ready)) {
                    break;
                }
                let ended = running.child.try_wait()?;
                let why = ended
                    .map_or("is not ready in time".into(), |status| format!("ended ({status})"));
                if ended.is_some() || Instant::now() > until {
                    bail!("`{}` {why}; it printed:\n{said}", running.command);
                }
                thread::sleep(POLL);
            }
        }
        Ok(())
    }

    /// Ctrl-C in every terminal, the newest first.
    pub fn stop(&mut self) {
        for mut running in self.running.drain(..).rev() {
            signal("TERM", &running.child.id().to_string());
            if wait(&mut running.child, Instant::now() + GRACE).is_none() {
                drop(running.child.kill());
                drop(running.child.wait());
            }
        }
    }

    /// Bash with `command`; what it prints goes to two files, whose names begin alike.
    fn bash(&mut self, command: &str) -> Result<(Command, PathBuf)> {
        let folder = |name| self.scratch.path().join(name);
        self.commands += 1;
        let said = folder("said").join(format!("{:03}", self.commands));
        let whole = format!("{}{command}", self.exports);
        let mut bash = Command::new("bash");
        bash.args(["-c", &whole]).current_dir(folder("clone")).env_clear().env("PATH", &self.path);
        bash.env("HOME", folder("home")).env("TMPDIR", folder("tmp")).env("SAID", folder("said"));
        bash.stdin(Stdio::null()).stdout(File::create(said.with_extension("out"))?);
        bash.stderr(File::create(said.with_extension("err"))?);
        Ok((bash, said))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What a command printed so far.
fn read(said: &Path) -> String {
    let text = |end| fs::read(said.with_extension(end)).unwrap_or_default();
    String::from_utf8_lossy(&[text("out"), text("err")].concat()).into_owned()
}

/// How the process ended; none if it still runs at `until`.
fn wait(child: &mut Child, until: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(None) if Instant::now() < until => thread::sleep(POLL),
            ended => return ended.ok().flatten(),
        }
    }
}

/// Bash has `kill` built in.
fn signal(name: &str, process: &str) {
    let words = ["-c", "kill -s \"$1\" -- \"$2\"", "kill", name, process];
    drop(Command::new("bash").args(words).stderr(Stdio::null()).status());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        let root = crate::workspace::root().unwrap();
        Session::new(&root, Path::new("/nowhere")).unwrap()
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn a_command_finds_the_repository_and_an_empty_home() {
        let mut session = session();
        let ended = session.run("ls README.md; ls -A ~; echo why >&2; exit 3", soon()).unwrap();
        assert_eq!((ended.code, &*ended.stdout, &*ended.stderr), (Some(3), "README.md\n", "why\n"));
        let again = session.run("cat \"$SAID\"/001.out", soon()).unwrap();
        assert_eq!(again.stdout, "README.md\n");
    }

    #[test]
    fn what_a_command_leaves_behind_ends_with_it() {
        let mut session = session();
        session.run("(sleep 1; touch late) &", soon()).unwrap();
        assert_eq!(session.run("sleep 1.5; test -e late", soon()).unwrap().code, Some(1));
    }

    #[test]
    fn what_hangs_or_ends_early_is_told() {
        let mut session = session();
        let hangs = session.run("sleep 60 & echo so far; wait", Instant::now() + POLL * 10);
        assert!(hangs.err().unwrap().to_string().contains("so far"));
        session.start("echo no port", "ready").unwrap();
        let error = session.run("true", soon()).err().unwrap().to_string();
        assert!(error.contains("`echo no port` ended") && error.contains("no port"), "{error}");
    }

    #[test]
    fn what_stays_is_waited_for_and_stopped() {
        let mut session = session();
        session.start("bash -c 'sleep 0.3; echo ready now; exec sleep 60'", "ready").unwrap();
        let said = session.run("cat \"$SAID\"/001.out", soon()).unwrap();
        assert_eq!(said.stdout, "ready now\n");
        let begun = Instant::now();
        session.stop();
        assert!(begun.elapsed() < GRACE && session.running.is_empty());
    }
}
