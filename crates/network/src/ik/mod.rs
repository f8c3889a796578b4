//! Noise IK: the one handshake of MeshX, between validators and between everybody else.
//!
//! ```text
//! initiator                                                            responder
//!   knows R, the responder's Ed25519 identity
//!   "MX" version suite | e, es, s, ss | I, binding, [ML-KEM key] ─────────▶ may look at I and refuse
//!   verifies R's binding ◀───────── [ML-KEM ciphertext] | e, ee, se, [psk] | binding
//!   one empty record ─────────────────────────────────────────────────────▶ only now is I connected
//!   records ◀────────────────────────────────────────────────────────────▶ records
//! ```
//! - Static keys are the X25519 images of the Ed25519 identities. An identity and its negative have the same image, so
//!   each side also sends a signature over that image (*binding*); identities with torsion are refused before.
//! - The first message can be replayed. A replaying attacker never sends the record that follows, so it is
//!   never reported as connected, and no message is taken before it.
//! - Suite [`Suite::Hybrid`] mixes an ML-KEM-768 secret in as `psk2`: what is recorded today stays closed to a quantum
//!   computer of tomorrow. [`Suite::Classic`] is plain IK; either side can refuse it.
//! - A responder that is busy asks for work before it looks at the first message (`puzzle.rs`).
//! - Keys are changed ([`Sealer`]) after 64 MiB and after two minutes, by an empty record.
//!
//! [`Initiator`] and [`Responder`] do no I/O: bytes in, bytes out. [`Stream`] puts them on any byte stream, [`Ik`] on
//! commonware's.

mod handshake;
mod identity;
mod puzzle;
mod record;
mod stream;
mod upgrader;

pub use handshake::{
    Established, HANDSHAKE_FRAME_MAX, HandshakeError, Incoming, Initiator, Responder, Suite, Suites,
};
pub use identity::{BadIdentity, Identity, PeerIdentity};
pub use puzzle::PUZZLE_BITS_MAX;
pub use record::{Opener, RECORD_MAX, RECORD_PLAIN_MAX, RecordError, Sealer};
pub use stream::Stream;
pub use upgrader::{Ik, IkError, IkReceiver, IkSender};
