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
    sync::Once,
};

/// What the process exits with: the same as for any failure of meshx itself.
const EXIT: i32 = 125;
/// Below this much free space a failed write is put down to a full disk.
const FULL_BYTES: u64 = 1 << 20;

/// From now on, end the process when consensus or its storage panics. Others' panics stay theirs.
pub(crate) fn arm(folder: &Path) {
    static ONCE: Once = Once::new();
    let folder = folder.to_owned();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
                usual(info);
            }
            if !of_the_engine(info) {
                usual(info);
                return;
            }
            // Only the first to fail speaks; the others fail because of it.
            static SPOKEN: Once = Once::new();
            SPOKEN.call_once(|| {
                eprintln!("error: the validator stopped: {}", what(info));
                eprintln!("hint: {}", advice(&folder));
            });
            std::process::exit(EXIT);
        }));
    });
}

/// Whether the panic is of consensus or of the library under it.
fn of_the_engine(info: &PanicHookInfo<'_>) -> bool {
    info.location().is_some_and(|location| {
        let file = location.file();
        file.contains("commonware-") || file.contains("crates/consensus/")
    })
}

fn what(info: &PanicHookInfo<'_>) -> String {
    let text = info.payload().downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| info.payload().downcast_ref::<String>().cloned());
    text.unwrap_or_default().chars().take(300).collect()
}

/// What its operator can do, as far as the folder tells.
fn advice(folder: &Path) -> String {
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
    format!(
        "a file under {shown}/chains may be damaged; move away all that one validator has there (such as na-1-*) and start again: it syncs its state from the others. If several of one chain are damaged, bring back a copy"
    )
}
