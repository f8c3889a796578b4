//! Hand bytes from nowhere to everything that reads bytes, and hold it to what it promises.
//!
//! Each target is a function of bytes that panics when a promise is broken: decoders never panic, what decodes encodes to
//! the same bytes, a short input asks for little memory, `apply_block` conserves money. The same functions run under
//! libFuzzer (`cargo xtask fuzz`) and, over every kept input, in a plain `cargo test`.
//!
//! ```text
//! fuzz/seeds/<target>/*        --+
//! fuzz/regressions/<target>/*  --+--> targets::find(name).run(bytes)
//! libFuzzer's mutations        --+
//! ```
//!
//! Not here: sockets (the transport's handshake and framing belong to its own project), and what only a process can show,
//! such as memory that is never given back.

mod attest;
mod block;
mod bytes;
mod files;
mod http;
mod keys;
mod modules;
mod presence;
mod proofs;
mod text;
mod wire;

/// One thing that reads bytes from outside.
pub struct Target {
    /// What the command line and the folder of seeds call it.
    pub name: &'static str,
    /// Longest input worth trying.
    pub bytes_max: usize,
    /// Its body, for one input.
    ///
    /// # Panics
    /// When a promise is broken. That is the point.
    pub run: fn(&[u8]),
}

/// All of them; `docs/fuzzing.md` says what each promises.
pub const TARGETS: &[Target] = &[
    Target { name: "wire", bytes_max: 4_096, run: wire::run },
    Target { name: "receipt", bytes_max: 16_384, run: proofs::receipt },
    Target { name: "light", bytes_max: 4_096, run: proofs::light },
    Target { name: "keystore", bytes_max: 512, run: keys::keystore },
    Target { name: "mnemonic", bytes_max: 512, run: keys::mnemonic },
    Target { name: "text", bytes_max: 256, run: text::parsers },
    Target { name: "json", bytes_max: 4_096, run: text::json },
    Target { name: "http", bytes_max: 2_048, run: http::run },
    Target { name: "latency", bytes_max: 2_048, run: files::latency },
    Target { name: "blob", bytes_max: 8_192, run: files::blob },
    Target { name: "module", bytes_max: 12_000, run: modules::inspect },
    Target { name: "wasi_path", bytes_max: 256, run: modules::path },
    Target { name: "attest_sgx", bytes_max: 8_192, run: attest::sgx },
    Target { name: "attest_tdx", bytes_max: 8_192, run: attest::tdx },
    Target { name: "attest_snp", bytes_max: 2_048, run: attest::snp },
    Target { name: "attest_nitro", bytes_max: 8_192, run: attest::nitro },
    Target { name: "attest_android", bytes_max: 8_192, run: attest::android },
    Target { name: "attest_apple", bytes_max: 8_192, run: attest::apple },
    Target { name: "attest_cca", bytes_max: 4_096, run: attest::cca },
    Target { name: "attest_psa", bytes_max: 4_096, run: attest::psa },
    Target { name: "attest_tpm", bytes_max: 8_192, run: attest::tpm },
    Target { name: "presence", bytes_max: 512, run: presence::run },
    Target { name: "apply_block", bytes_max: 512, run: block::run },
];

/// The target with that name; `None` if there is none.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
