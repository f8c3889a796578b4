//! `cargo xtask examples`: the wasm in `examples/` comes from the sources beside it, and anyone can see that it does.
//!
//! ```text
//! sources ── toolchain of this machine ──► bytes ──► examples/<name>.wasm        (rebuild)
//!                                            │       examples/toolchains.json
//!                                            └──► same hash as the record?       (--check)
//! ```
//! Other compiler versions give other bytes, so a check says nothing about the sources unless the versions agree; that
//! the committed bytes are the recorded ones is checked on any machine.

mod build;
mod record;
mod toolchain;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::report::{Outcome, Report};
use crate::scratch::Scratch;
use record::{Entry, Record};
use toolchain::Toolchain;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Rust,
    C,
    Zig,
    Go,
    AssemblyScript,
}

pub struct Example {
    pub name: &'static str,
    pub language: Language,
}

const EXAMPLES: [Example; 7] = [
    Example { name: "wordcount", language: Language::Rust },
    Example { name: "sha256", language: Language::C },
    Example { name: "nbody", language: Language::C },
    Example { name: "mandelbrot", language: Language::Zig },
    Example { name: "exit", language: Language::Zig },
    Example { name: "json", language: Language::Go },
    Example { name: "crc32", language: Language::AssemblyScript },
];

impl Example {
    /// Go brings its runtime along, which is megabytes: its wasm is built where it is needed.
    fn committed(&self) -> bool {
        self.language != Language::Go
    }
}

pub fn known(name: &str) -> bool {
    EXAMPLES.iter().any(|example| example.name == name)
}

pub fn names() -> String {
    EXAMPLES.map(|example| example.name).join(", ")
}

/// Rebuild, or check without touching anything, the examples called `names`: all of them if there are none.
pub fn run(root: &Path, check: bool, names: &[&str], report: &mut Report) {
    if let Err(error) = try_run(root, check, names, report) {
        report.add("examples", Outcome::Failed(vec![format!("{error:#}")]));
    }
}

fn try_run(root: &Path, check: bool, names: &[&str], report: &mut Report) -> Result<()> {
    let folder = root.join("examples");
    let mut record = Record::load(&folder)?;
    let scratch = Scratch::new("examples")?;
    for example in &EXAMPLES {
        if !names.is_empty() && !names.contains(&example.name) {
            continue;
        }
        let toolchain = toolchain::find(root, example, !check);
        if check {
            check_one(&folder, example, toolchain, &record, &scratch, report);
        } else {
            rebuild_one(&folder, example, toolchain, &mut record, &scratch, report);
        }
    }
    if check { Ok(()) } else { record.save(&folder) }
}

fn rebuild_one(
    folder: &Path,
    example: &Example,
    toolchain: Result<Toolchain, String>,
    record: &mut Record,
    scratch: &Scratch,
    report: &mut Report,
) {
    let name = example.name;
    let step = format!("examples {name}: rebuild");
    let toolchain = match toolchain {
        Ok(toolchain) => toolchain,
        Err(why) => return report.add(&step, Outcome::PassedOver(why)),
    };
    let written = compile(folder, example, &toolchain, scratch).and_then(|bytes| {
        fs::write(folder.join(format!("{name}.wasm")), &bytes).context("cannot write it")?;
        Ok(bytes)
    });
    match written {
        Ok(bytes) => {
            record.set(name, Entry::of(&toolchain, &bytes));
            report.add(&format!("{step}, {} bytes, {toolchain}", bytes.len()), Outcome::Passed);
        }
        Err(error) => report.add(&step, Outcome::Failed(vec![format!("{error:#}")])),
    }
}

fn check_one(
    folder: &Path,
    example: &Example,
    toolchain: Result<Toolchain, String>,
    record: &Record,
    scratch: &Scratch,
    report: &mut Report,
) {
    let name = example.name;
    if example.committed() {
        let outcome = match committed_as_recorded(folder, name, record) {
            Ok(()) => Outcome::Passed,
            Err(error) => Outcome::Failed(vec![format!("{error:#}")]),
        };
        report.add(&format!("examples {name}: committed bytes are the recorded ones"), outcome);
    }
    let step = format!("examples {name}: its source gives the recorded bytes");
    let outcome = match (toolchain, record.get(name)) {
        (Err(why), _) => Outcome::PassedOver(why),
        (Ok(_), None) => Outcome::Failed(vec![Record::missing(name)]),
        (Ok(found), Some(entry)) if !entry.made_with(&found) => {
            Outcome::PassedOver(format!("this machine has {found}, it was built with {entry}"))
        }
        (Ok(found), Some(entry)) => match compile(folder, example, &found, scratch) {
            Ok(bytes) if entry.fits(&bytes) => Outcome::Passed,
            Ok(bytes) => Outcome::Failed(vec![format!(
                "{found} gives {} ({} bytes), the record says {}\nhint: after a change of the source run \
                 `cargo xtask examples {name}` and commit what it writes",
                blake3::hash(&bytes),
                bytes.len(),
                entry.blake3,
            )]),
            Err(error) if error.is::<build::Unavailable>() => {
                Outcome::PassedOver(format!("{error:#}"))
            }
            Err(error) => Outcome::Failed(vec![format!("{error:#}")]),
        },
    };
    report.add(&step, outcome);
}

fn committed_as_recorded(folder: &Path, name: &str, record: &Record) -> Result<()> {
    let path = folder.join(format!("{name}.wasm"));
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let entry = record.get(name).with_context(|| Record::missing(name))?;
    ensure!(
        entry.fits(&bytes),
        "{name}.wasm has {}, the record says {}",
        blake3::hash(&bytes),
        entry.blake3
    );
    Ok(())
}

/// The bytes of one example, free of this machine's paths.
fn compile(
    folder: &Path,
    example: &Example,
    toolchain: &Toolchain,
    scratch: &Scratch,
) -> Result<Vec<u8>> {
    let wasm = build::build(folder, example, toolchain, scratch)?;
    let bytes = fs::read(&wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    ensure!(bytes.starts_with(b"\0asm"), "the compiler made something that is not wasm");
    let home = std::env::var_os("HOME").unwrap_or_default();
    for path in [folder, scratch.path(), Path::new(&home)] {
        // A home of `/` or nothing would be found in anything.
        let path = path.as_os_str().as_encoded_bytes();
        let leaks = path.len() > 1 && bytes.windows(path.len()).any(|window| window == path);
        ensure!(!leaks, "it contains the path {}", String::from_utf8_lossy(path));
    }
    Ok(bytes)
}
