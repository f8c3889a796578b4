//! Stop at once, and say why, when a validator cannot trust its own files.
//!
//! The engine panics when a file cannot be written, or holds something else than was written: every
//! page and every record carries a checksum. A validator that went on would risk a wrong answer, so the
//! whole process ends, with what happened and what to try instead of a stack trace.

use crate::folder::free_bytes;
use std::{
    fs,
    panic::PanicHookInfo,
    path::{Path, PathBuf},
    sync::{
        Once,
        atomic::{AtomicUsize, Ordering},
    },
};

/// What the process exits with: the same as for any failure of meshx itself.
const EXIT: i32 = 125;
/// Below this much free space a failed write is put down to a full disk.
const FULL_BYTES: u64 = 1 << 20;

/// Nodes of this process that have not been stopped.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// A node whose files are to be trusted. From when it is dropped, the node is being stopped.
pub(crate) struct Armed(());

impl Drop for Armed {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Until what this returns is dropped, end the process when consensus or its storage panics. Others' panics stay theirs.
pub(crate) fn arm(folder: &Path) -> Armed {
    static ONCE: Once = Once::new();
    RUNNING.fetch_add(1, Ordering::Relaxed);
    let folder = folder.to_owned();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let file = info.location().map_or("", |location| location.file());
            match meaning(file, RUNNING.load(Ordering::Relaxed)) {
                Meaning::NotTheEngine => return usual(info),
                Meaning::Stopping => return,
                Meaning::CannotGoOn => {}
            }
            if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
                usual(info);
            }
            // Only the first to fail speaks; the others fail because of it.
            static SPOKEN: Once = Once::new();
            SPOKEN.call_once(|| {
                let what = what(info);
                let named = named(&what);
                let who = named.map_or_else(String::new, |(validator, _)| format!(" {validator}"));
                let file = named.map_or_else(String::new, |(_, part)| {
                    format!("{} cannot be trusted: ", folder.join("chains").join(part).display())
                });
                eprintln!("error: the validator{who} stopped: {file}{what}");
                eprintln!("hint: {}", advice(&folder, named.map(|(validator, _)| validator)));
            });
            std::process::exit(EXIT);
        }));
    });
    Armed(())
}

/// What a panic means.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    NotTheEngine,
    /// A runtime that is being taken down closes files under tasks that still read them. Nothing is damaged.
    Stopping,
    CannotGoOn,
}

/// What a panic of code in `file` means while `running` nodes have not been stopped.
fn meaning(file: &str, running: usize) -> Meaning {
    if !file.contains("commonware-") && !file.contains("crates/consensus/") {
        Meaning::NotTheEngine
    } else if running == 0 {
        Meaning::Stopping
    } else {
        Meaning::CannotGoOn
    }
}

fn what(info: &PanicHookInfo<'_>) -> String {
    let text = info.payload().downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| info.payload().downcast_ref::<String>().cloned());
    text.unwrap_or_default().chars().take(300).collect()
}

/// The validator and its part of the storage that a panic speaks of: `eu-0` and `eu-0-blocks-metadata`.
fn named(what: &str) -> Option<(&str, &str)> {
    let words = what.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_'));
    words.into_iter().find_map(|word| {
        let (chain, rest) = word.split_once('-')?;
        let (number, part) = rest.split_once('-')?;
        let is_chain = types::ChainId::ALL.iter().any(|id| id.name().eq_ignore_ascii_case(chain));
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let validator = word.get(..chain.len() + 1 + number.len())?;
        (is_chain && is_number && !part.is_empty()).then_some((validator, word))
    })
}

/// What its operator can do, as far as the folder tells.
fn advice(folder: &Path, validator: Option<&str>) -> String {
    let shown = folder.display();
    if free_bytes(folder).is_some_and(|free| free < FULL_BYTES) {
        return format!(
            "the disk of {shown} is full; make room and start again: nothing acknowledged is lost"
        );
    }
    let probe: PathBuf = folder.join("probe");
    if let Err(error) = fs::write(&probe, b"probe").and_then(|()| fs::remove_file(&probe)) {
        return format!(
            "{shown} cannot be written ({error}); mount it for writing and start again: nothing acknowledged is lost"
        );
    }
    let files = match validator {
        Some(validator) => format!("move all of {shown}/chains/{validator}-* away"),
        None => format!(
            "a file under {shown}/chains may be damaged; move all files of that validator away (such as na-1-*)"
        ),
    };
    format!(
        "{files} and start again: it fetches its state from the others. If files of several validators of one chain are damaged, restore a backup"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORAGE: &str = "registry/commonware-storage-2026.10.0/src/journal/mod.rs";

    #[test]
    fn only_the_engine_of_a_running_node_ends_the_process() {
        assert_eq!(meaning(STORAGE, 1), Meaning::CannotGoOn);
        assert_eq!(meaning("crates/consensus/src/engine.rs", 1), Meaning::CannotGoOn);
        assert_eq!(meaning(STORAGE, 0), Meaning::Stopping);
        assert_eq!(meaning("crates/node/src/serve.rs", 1), Meaning::NotTheEngine);
        assert_eq!(meaning("crates/node/src/serve.rs", 0), Meaning::NotTheEngine);
    }

    #[test]
    fn the_validator_and_the_file_are_named_as_far_as_the_panic_says() {
        let check = |what: &str, expected: Option<(&str, &str)>| assert_eq!(named(what), expected);
        check(
            "the archive of blocks opens: blob corrupt: eu-0-blocks-metadata/6c656674 reason: invalid header",
            Some(("eu-0", "eu-0-blocks-metadata")),
        );
        check(
            r#"unable to open journal: Runtime(BlobCorrupt("backbone-12-simplex_0", "71", "bad"))"#,
            Some(("backbone-12", "backbone-12-simplex_0")),
        );
        check("called unwrap on a non-empty-list", None);
        let folder = std::env::temp_dir();
        assert!(advice(&folder, Some("eu-0")).contains("/chains/eu-0-* away and start again"));
    }

    #[test]
    fn a_node_runs_until_its_guard_is_dropped() {
        // No other test of this program runs a node.
        let running = || RUNNING.load(Ordering::Relaxed);
        let folder = std::env::temp_dir();
        let (first, second) = (arm(&folder), arm(&folder));
        assert_eq!(running(), 2);
        drop(first);
        assert_eq!(running(), 1);
        drop(second);
        assert_eq!(running(), 0);
    }
}
