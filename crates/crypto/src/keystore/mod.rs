//! Keystore: one secret in one file, locked with a passphrase.
//!
//! ```text
//!  offset  0        8        9           13       17      21     37      49                   -8
//!          ├ magic ─┼ version┼ memory KiB┼ passes ┼ lanes ┼ salt ┼ nonce ┼ ciphertext and tag ─┼ checksum ┤
//!          └──────────────── header: the AEAD's associated data ─────────┘
//! ```
//!
//! The key is Argon2id(passphrase, salt); the secret is under ChaCha20-Poly1305. Numbers are
//! big-endian. [`to_text`] gives a printable form of the same bytes, and [`open`] reads both.
//!
//! **What an error can honestly say.** An AEAD only knows that key and ciphertext do not fit. The
//! checksum (8 bytes of SHA-256, without any key) adds the rest: if it fails, the file is
//! [`Damaged`](Locked::Damaged) with any passphrase; if it holds and the AEAD fails, the
//! passphrase is wrong, or someone altered the file on purpose and mended the checksum. Those two
//! look alike and both are [`WrongPassphrase`](Locked::WrongPassphrase).

mod format;
mod kdf;

pub use format::{SECRET_BYTES_MAX, to_text};
pub use kdf::{Argon2Params, OutOfBounds};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use format::{Header, Parts};
use zeroize::Zeroizing;

/// Why a secret could not be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotSealed {
    /// A keystore is for keys, not for files.
    #[error(
        "a keystore holds at most {SECRET_BYTES_MAX} bytes, but the secret has {0}\nhint: seal a key, and encrypt the file with it"
    )]
    TooLong(usize),
    /// The machine refused Argon2's memory.
    #[error("cannot get {} MiB of memory to derive the key\nhint: close other programs, or choose smaller parameters", memory_kib / 1024)]
    OutOfMemory { memory_kib: u32 },
}

/// Why a keystore stayed shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Locked {
    /// Neither the binary form nor the printable one.
    #[error(
        "this is not a MeshX keystore\nhint: check the path; a keystore begins with MESHXKEY or meshx-keystore:"
    )]
    NotAKeystore,
    /// Written by a newer program.
    #[error("this program does not know keystore version {0}\nhint: update meshx")]
    UnknownVersion(u8),
    /// Bytes are missing, added or changed: no passphrase opens it.
    #[error("the keystore is damaged\nhint: restore it from a backup, or from the mnemonic")]
    Damaged,
    /// Parameters below the floor or above the cap; nothing was allocated.
    #[error(transparent)]
    Parameters(#[from] OutOfBounds),
    /// The machine refused Argon2's memory.
    #[error("cannot get {} MiB of memory to derive the key\nhint: close other programs, or open it on a larger machine", memory_kib / 1024)]
    OutOfMemory { memory_kib: u32 },
    /// See the module's page for what this can and cannot tell.
    #[error(
        "wrong passphrase\nhint: try again; if you are sure of it, the file was altered: restore a backup"
    )]
    WrongPassphrase,
}

/// Lock `secret` behind `passphrase`.
///
/// `salt` and `nonce` are fresh bytes from the operating system's generator, never used before: a
/// pair used twice under one passphrase gives both secrets away. Any passphrase is taken, also an
/// empty one: asking for a good one is the caller's manners. Takes about as long as [`open`].
///
/// # Errors
/// [`NotSealed::TooLong`] above [`SECRET_BYTES_MAX`]; [`NotSealed::OutOfMemory`].
pub fn seal(
    secret: &[u8],
    passphrase: &str,
    salt: [u8; 16],
    nonce: [u8; 12],
    params: Argon2Params,
) -> Result<Vec<u8>, NotSealed> {
    if secret.len() > SECRET_BYTES_MAX {
        return Err(NotSealed::TooLong(secret.len()));
    }
    let header = Header { params, salt, nonce };
    let key = kdf::key(passphrase, &salt, params)
        .map_err(|kdf::NoMemory| NotSealed::OutOfMemory { memory_kib: params.memory_kib() })?;
    let associated = header.to_bytes();
    let ciphertext = ChaCha20Poly1305::new(&Key::from(*key))
        .encrypt(&Nonce::from(nonce), Payload { msg: secret, aad: &associated })
        .expect("a secret of a few KiB is within the cipher's limit");
    Ok(format::assemble(&associated, &ciphertext))
}

/// Unlock what [`seal`] made, in its binary form or in that of [`to_text`].
///
/// Parameters are checked before any memory is allocated, so a hostile file costs at most 1 GiB and
/// 16 passes: about a quarter of a minute. The default takes about a second and 256 MiB.
///
/// # Errors
/// [`Locked`].
pub fn open(bytes: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, Locked> {
    let binary = format::to_binary(bytes)?;
    let Parts { header, associated, ciphertext } = format::parse(&binary)?;
    let params = header.params;
    let key = kdf::key(passphrase, &header.salt, params)
        .map_err(|kdf::NoMemory| Locked::OutOfMemory { memory_kib: params.memory_kib() })?;
    ChaCha20Poly1305::new(&Key::from(*key))
        .decrypt(&Nonce::from(header.nonce), Payload { msg: ciphertext, aad: associated })
        .map(Zeroizing::new)
        .map_err(|_| Locked::WrongPassphrase)
}
