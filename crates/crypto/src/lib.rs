//! Hold keys, sign under a domain, verify alike everywhere, and lock secrets behind a passphrase.
//!
//! ```text
//!  entropy ── Mnemonic ── Wallet ──┬─ m/44'/MSHX'/account'/0'  spend      SigningKey ── sign(domain, message)
//!  (caller's)  BIP-39    SLIP-0010 ├─ m/44'/MSHX'/account'/1'  consensus  SigningKey          │
//!      │                           ├─ m/44'/MSHX'/account'/2'  VRF        VrfKey ── prove     ▼
//!      │                           ├─ m/44'/MSHX'/account'/3'  worker     SigningKey    verify, verify_batch
//!      │                           └─ m/44'/MSHX'/account'/4'  sealing    SealingKey ── HPKE (X-Wing) opens
//!      └──────────────── keystore::seal / open: Argon2id, ChaCha20-Poly1305
//! ```
//!
//! Everything is a function of its arguments. There is no clock, file, network or source of
//! randomness here: a caller that needs a key, a salt or a nonce brings the bytes.
//!
//! A signature is always made *under a domain*: a short constant that says what is being signed, so
//! that a signature on one kind of message is never a signature on another. Verification is ZIP-215
//! with small-order and non-canonical keys refused besides, and a batch gives each signature the
//! verdict it would have had alone: nodes that batch differently must not disagree about a block.
//!
//! ```
//! use crypto::{Mnemonic, Role, Wallet, keystore, verify};
//!
//! let mnemonic = Mnemonic::from_entropy(&[7; 16]).unwrap(); // in earnest: 16 or 32 bytes of OS randomness
//! let key = Wallet::from_mnemonic(&mnemonic, "").key(Role::Spend, 0);
//! let signature = key.sign("meshx/doc/v1", b"hello");
//! assert!(verify(&key.public(), "meshx/doc/v1", b"hello", &signature).is_ok());
//! assert!(verify(&key.public(), "meshx/other/v1", b"hello", &signature).is_err());
//!
//! let params = keystore::Argon2Params::FLOOR; // in earnest: Argon2Params::default()
//! let sealed = keystore::seal(&mnemonic.entropy(), "correct horse", [1; 16], [2; 12], params).unwrap();
//! assert_eq!(*keystore::open(&sealed, "correct horse").unwrap(), [7; 16]);
//! ```
//!
//! Not here: addresses and wire types (`types`), who may sign what (the rule crates), file modes and
//! prompts (`cli`).

/// The README's example is compiled and run like any other.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod bad_signature;
mod batch;
mod ecvrf;
mod ecvrf_batch;
pub mod keystore;
mod mnemonic;
mod public_key;
mod sealing;
mod signature;
mod slip10;
mod wallet;

pub use bad_signature::BadSignature;
pub use batch::{Signed, verify_batch};
pub use ecvrf::{
    BadVrf, VRF_OUTPUT_BYTES, VRF_PROOF_BYTES, VrfKey, VrfOutput, VrfProof, VrfPublicKey, VrfSuite,
};
pub use ecvrf_batch::{VrfClaim, verify_vrf_batch};
pub use mnemonic::{BadMnemonic, Mnemonic};
pub use sealing::{
    BadSealingKey, NotOpened, SEALING_ENTROPY_BYTES, SEALING_KEY_BYTES, SEALING_OVERHEAD,
    SealingKey, SealingPublicKey,
};
pub use signature::{DOMAIN_BYTES_MAX, SigningKey, verify};
pub use wallet::{COIN_TYPE, Role, Wallet};
