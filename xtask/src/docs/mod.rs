//! `cargo xtask docs`: what the pages tell readers to type does what they say.
//!
//! ```text
//! page ──▶ commands, and comments about them ──▶ bash, in a copy of the repository with an empty home
//!                                                  └──▶ all ended well, or the first that did not
//! ```
//! Every fenced block of `sh` and `console` is run, and every table with a column of commands. A comment before them
//! ([`mark`]) names what is not run, and why. Words in capitals stand for what was printed before ([`words`]). Lines of
//! `cargo` compile for minutes: only the packages and commands that they name are looked at.

mod cargo;
mod mark;
mod page;
mod session;
mod words;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};

use self::mark::Mark;
use self::page::{Block, Step};
use self::session::Session;
use self::words::USUAL;
use crate::report::{Outcome, Report};
use crate::workspace::{self, Package};
use crate::{lab, torture::target};

/// How long the commands of one block may take together, on a busy machine with a debug build.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long a word in capitals may be unknown: a job is listed a moment after it was sent.
const UNKNOWN: Duration = Duration::from_secs(30);

/// Commands that are tried elsewhere, and why.
const ELSEWHERE: [(&str, &str); 2] = [
    ("cargo ", "cargo compiles for minutes; the packages and commands that it names are there"),
    ("meshx bench ", "it measures for minutes; the tests run each benchmark for two seconds"),
];

/// All pages, or those that are named; `all` of their commands, or only the quick ones.
pub fn run(root: &Path, names: &[&str], all: bool, report: &mut Report) {
    if let Err(error) = try_run(root, names, all, report) {
        report.add("docs", Outcome::Failed(vec![format!("{error:#}")]));
    }
}

fn try_run(root: &Path, names: &[&str], all: bool, report: &mut Report) -> Result<()> {
    let tools = std::path::absolute(target(root).join("debug"))?;
    if let Some(missing) = ["meshx", "meshx-lab"].iter().find(|name| !tools.join(name).is_file()) {
        let why = format!(
            "{} has no {missing}: cargo build -p meshx-cli -p meshx-lab makes it",
            tools.display()
        );
        report.add("docs", Outcome::PassedOver(why));
        return Ok(());
    }
    if !Command::new("bash").arg("--version").output().is_ok_and(|run| run.status.success()) {
        report.add("docs", Outcome::PassedOver("there is no bash".into()));
        return Ok(());
    }
    let packages = workspace::load(root)?;
    let pages =
        if names.is_empty() { pages(root)? } else { names.iter().map(PathBuf::from).collect() };
    for name in pages {
        let mut reading = Reading {
            root,
            tools: &tools,
            packages: &packages,
            all,
            session: None,
            values: BTreeMap::new(),
            done: 0,
            passed_over: BTreeMap::new(),
        };
        let outcome = match reading.page(&name) {
            Ok(()) => Outcome::Passed,
            Err(error) => Outcome::Failed(vec![format!("{error:#}")]),
        };
        reading.session = None;
        if reading.done > 0 || outcome != Outcome::Passed {
            report.add(&format!("docs {}: {} commands", name.display(), reading.done), outcome);
        }
        for (why, commands) in reading.passed_over {
            report.add(
                &format!("docs {}: {}", name.display(), commands.join(", ")),
                Outcome::PassedOver(why),
            );
        }
    }
    Ok(())
}

/// README.md, the pages of `docs` (but decisions, which are history), and what `examples` says of itself.
fn pages(root: &Path) -> Result<Vec<PathBuf>> {
    let mut pages = vec![PathBuf::from("README.md"), PathBuf::from("examples/README.md")];
    for folder in ["docs", "docs/security", "examples/attest", "examples/presence"] {
        let entries = fs::read_dir(root.join(folder)).with_context(|| folder.to_owned())?;
        let mut names = entries.map(|entry| Ok(entry?.file_name())).collect::<Result<Vec<_>>>()?;
        names.sort();
        let names = names.into_iter().map(|name| Path::new(folder).join(name));
        pages.extend(names.filter(|name| name.extension().is_some_and(|end| end == "md")));
    }
    Ok(pages)
}

/// One page, as a reader meets it.
struct Reading<'a> {
    root: &'a Path,
    tools: &'a Path,
    packages: &'a [Package],
    all: bool,
    /// Made for the first command that is run.
    session: Option<Session>,
    /// What words in capitals stand for, once a command needed them.
    values: BTreeMap<&'static str, String>,
    done: usize,
    /// Commands by why they are not run.
    passed_over: BTreeMap<String, Vec<String>>,
}

impl Reading<'_> {
    fn page(&mut self, name: &Path) -> Result<()> {
        let text = fs::read_to_string(self.root.join(name))
            .with_context(|| format!("cannot read {}", name.display()))?;
        let mut until = Instant::now() + PATIENCE;
        for block in page::blocks(&text)? {
            until = Instant::now() + PATIENCE;
            let mut begun = false;
            for step in &block.steps {
                let place =
                    || format!("{}:{}: `{}`", name.display(), step.line, short(&step.command));
                if let Some(why) = self.why_not(&block, step).with_context(place)? {
                    self.passed_over
                        .entry(why)
                        .or_default()
                        .push(format!("`{}`", short(&step.command)));
                    continue;
                }
                if self.session.is_none() {
                    free(&text)?;
                    self.session = Some(Session::new(self.root, self.tools)?);
                }
                if !std::mem::replace(&mut begun, true) {
                    self.begin(&block, until).with_context(place)?;
                }
                self.command(&step.command, step.shown.as_deref(), until).with_context(place)?;
                self.done += 1;
            }
        }
        // What was started last must get ready, too.
        self.session.as_mut().map_or(Ok(()), |session| session.ready(until))
    }

    /// Why a command is not run here.
    fn why_not(&self, block: &Block, step: &Step) -> Result<Option<String>> {
        for mark in &block.marks {
            match mark {
                Mark::Skip(named) if named.has(&step.command) => {
                    return Ok(Some(named.why.clone()));
                }
                Mark::Slow(named) if named.has(&step.command) && !self.all => {
                    return Ok(Some(format!("{}; cargo xtask docs runs it", named.why)));
                }
                _ => {}
            }
        }
        if cargo::without_build(&step.command).is_some() {
            return Ok(None);
        }
        let words = cargo::words(&step.command).unwrap_or_default();
        let faults = cargo::faults(self.root, self.packages, &words);
        ensure!(faults.is_empty(), "{}", faults.join("; "));
        let begins = if words.is_empty() { &*step.command } else { "cargo " };
        let elsewhere = ELSEWHERE.iter().find(|(words, _)| begins.starts_with(words));
        Ok(elsewhere.map(|(_, why)| (*why).to_owned()))
    }

    /// What a comment asks for before the first command of a block.
    fn begin(&mut self, block: &Block, until: Instant) -> Result<()> {
        for mark in &block.marks {
            match mark {
                Mark::Stop => self.session()?.stop(),
                Mark::First(command) => self
                    .command(command, None, until)
                    .with_context(|| format!("first `{command}`"))?,
                Mark::Skip(_) | Mark::Slow(_) => {}
            }
        }
        Ok(())
    }

    /// Run one command, or start it if it stays, and look at how it ended.
    fn command(&mut self, typed: &str, shown: Option<&str>, until: Instant) -> Result<()> {
        let typed = cargo::without_build(typed).unwrap_or_else(|| typed.to_owned());
        let command = self.fill(typed, until)?;
        let session = self.session()?;
        if let Some(ready) = Session::stays(&command) {
            return session.start(&short(&command), ready);
        }
        if command.starts_with("export ") {
            session.export(&command);
        }
        // Each command of a line must end well, unless a console shows how it ended.
        let strict = if shown.is_none() { "set -e; " } else { "" };
        let ended = session.run(&format!("{strict}{command}"), until)?;
        ensure!(
            ended.code == Some(0),
            "it was run as\n{command}\nand ended with {}; it printed:\n{}{}",
            ended.code.map_or("a signal".into(), |code| format!("exit code {code}")),
            ended.stdout,
            ended.stderr
        );
        if let Some(shown) = shown {
            ensure!(
                shown == ended.stdout,
                "the page shows\n{shown}and it printed\n{}",
                ended.stdout
            );
        }
        Ok(())
    }

    /// `command` with what its words in capitals stand for on this page.
    fn fill(&mut self, mut command: String, until: Instant) -> Result<String> {
        for (name, source) in USUAL {
            if words::fill(&command, name, "") == command {
                continue;
            }
            let value = match self.values.get(name) {
                Some(value) => value.clone(),
                None => self.ask(name, source, until)?,
            };
            command = words::fill(&command, name, &value);
            self.values.insert(name, value);
        }
        Ok(command)
    }

    /// What `source` prints, which may take a while.
    fn ask(&mut self, name: &str, source: &str, until: Instant) -> Result<String> {
        lab::within(UNKNOWN, || {
            let ended = self.session()?.run(source, until)?;
            let value = ended.stdout.trim().to_owned();
            let found = ended.code == Some(0) && !value.is_empty();
            ensure!(found, "`{source}` does not say what {name} is\n{}", ended.stderr);
            Ok(value)
        })
    }

    fn session(&mut self) -> Result<&mut Session> {
        self.session.as_mut().ok_or_else(|| anyhow!("nothing was run on this page yet"))
    }
}

/// A command without its comment, on one line.
fn short(command: &str) -> String {
    let text = command.split_once(" #").map_or(command, |(text, _)| text);
    text.trim().replace("\\\n", "")
}

/// Whether the ports of this machine that a page names are free, and the usual one.
fn free(text: &str) -> Result<()> {
    let named = text.split("127.0.0.1:").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse::<u16>().ok()
    });
    for port in named.chain([8700]) {
        TcpListener::bind(("127.0.0.1", port)).with_context(|| {
            format!("port {port} is taken: does meshx run here already? stop it, and try again")
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_page_can_be_read() {
        let root = workspace::root().unwrap();
        let pages = pages(&root).unwrap();
        assert!(pages.iter().any(|page| page.ends_with("money.md")), "{pages:?}");
        for name in pages {
            let text = fs::read_to_string(root.join(&name)).unwrap();
            page::blocks(&text).unwrap_or_else(|error| panic!("{}: {error:#}", name.display()));
        }
    }

    #[test]
    fn a_taken_port_is_told() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let text = format!("see http://{}/x", taken.local_addr().unwrap());
        assert!(free(&text).unwrap_err().to_string().contains("is taken"));
    }

    #[test]
    fn a_command_is_shown_without_its_comment() {
        assert_eq!(short("a \\\n  b   # why"), "a   b");
    }
}
