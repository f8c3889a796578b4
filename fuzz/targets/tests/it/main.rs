//! Replay: every seed, and every input that once found something, through its target without a fuzzer.

use std::{fs, path::PathBuf};
use targets::{TARGETS, Target};

fn inputs(kind: &str, target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(kind).join(target.name);
    let Ok(entries) = fs::read_dir(folder) else { return vec![] };
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a folder lists").path()).collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).expect("an input is a file")))
        .collect()
}

#[test]
fn every_kept_input_passes() {
    for target in TARGETS {
        let seeds = inputs("seeds", target);
        assert!(!seeds.is_empty(), "{} has no seeds to start from", target.name);
        for (path, bytes) in seeds.into_iter().chain(inputs("regressions", target)) {
            // Shown when a target panics.
            println!("{}", path.display());
            (target.run)(&bytes);
            // Cut short is the commonest damage.
            (target.run)(&bytes[..bytes.len() / 2]);
        }
    }
}

/// A seed that its target refuses at the door would leave the fuzzer outside.
#[test]
fn the_receipt_to_start_from_is_a_receipt() {
    let [(_, bytes)] = &inputs("seeds", targets::find("receipt").expect("it is one"))[..] else {
        panic!("one")
    };
    receipt::verify(bytes, |_| true).expect("it was written by a network");
}
