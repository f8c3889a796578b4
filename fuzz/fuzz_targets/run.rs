//! One program for all targets; `MESHX_FUZZ_TARGET` names the one to run, the arguments are libFuzzer's.

#![no_main]

use libfuzzer_sys::Corpus;
use std::sync::LazyLock;
use targets::Target;

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("MESHX_FUZZ_TARGET").unwrap_or_default();
    let names: Vec<&str> = targets::TARGETS.iter().map(|target| target.name).collect();
    targets::find(&name)
        .unwrap_or_else(|| panic!("MESHX_FUZZ_TARGET is one of {}", names.join(", ")))
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| -> Corpus {
    if bytes.len() > TARGET.bytes_max {
        return Corpus::Reject;
    }
    (TARGET.run)(bytes);
    Corpus::Keep
});
