//! Measure how long a prover takes to answer its witnesses, and make a certificate of it.
//!
//! Each witness asks eight times at moments that only it knows, and keeps the quickest answer (DESIGN §4). An answer is a
//! MAC under a key that the witness made for this claim and told only to the holder of the claim's attested key, over a
//! channel that is encrypted; a nonce in the question keeps it from being made before. Afterwards the prover signs the root
//! of all that was said, and each witness its minimum under that root.
//!
//! ```text
//!            channel (Noise IK, or what the caller has)
//!           ┌── Ask ─▶  ◀─ Session ── Ready ─▶ ┐                  ┌─ Root ─▶  ◀─ Measured ─┐
//!  prove ───┤                                  │                  │                        ├──▶ PresenceCertificate
//!   │       └──────── one for each witness ────┘                  └────────────────────────┘      │
//!   │ Prover   ◀── 8 probes, at secret times ──── Witness                                         ▼
//!   └───────── ──────── 8 MACs ─────────────────▶ minimum                                 presence::verify
//!                     datagrams (UDP)
//! ```
//!
//! [`Prover`], [`Prepared`], [`Witness`], [`Transcript`] and [`assemble`] are functions of their arguments, with times in
//! microseconds passed in; [`prove()`] and [`attend()`] are the shells that have sockets, clocks and randomness.
//!
//! ```
//! use measure::{Next, Plan, Prepared, Prover, Reply};
//!
//! // In earnest: 32 bytes of the system's randomness, and two machines.
//! let prepared = Prepared::new(5, &[7; 32], &Plan::DEFAULT);
//! let mut prover = Prover::default();
//! prover.open(5, prepared.id(), &prepared.key()).unwrap();
//! let mut witness = prepared.begin(0);
//! while let Next::Ask { at_us } = witness.next() {
//!     let question = *witness.ask(at_us).unwrap();
//!     let Some(Reply::Answer(answer)) = prover.receive(&question) else { panic!() };
//!     assert!(prover.receive(&question).is_none(), "once");
//!     witness.receive(&answer, at_us + 12_000).unwrap();
//! }
//! assert_eq!(witness.minimum_us(), Some(12_000));
//! let transcript = prover.close();
//! assert_eq!(witness.sign_for(&transcript.root(), &transcript.part(5).unwrap()), Ok(12_000));
//! ```
//!
//! Every error is on the side of more time: sending counts from before it, arriving from when the kernel saw it or later,
//! and what is lost is just lost. More time refutes less and locates nobody where it is not. A prover's own delay counts
//! against it, even if it lies about it.
//!
//! Not shown by this: that the machine stands where the key answers. A session's key can be given away; [`WorkRule`] has
//! work done within the time that the place explains, which shows a machine that is further away than its key by more than
//! the allowance, and attestation keeps keys inside machines. Not here: who may claim, how often, and what it is worth
//! (`presence`, the chain); how channels are opened (`overlay`, `network`).

mod attend;
mod certificate;
mod datagram;
mod drawn;
mod frame;
mod message;
mod prove;
mod prover;
mod schedule;
mod stamped;
mod transcript;
mod witness;
mod work;

pub use attend::{AttendSettings, Attendant, Attended, NotAttended, attend};
pub use certificate::{SignedTranscript, assemble, is_signed, sign_minimum};
pub use datagram::{
    ANSWER_BYTES, AnswerBytes, Kind, Nonce, QUESTION_BYTES, QuestionBytes, SessionId, SessionKey,
};
pub use drawn::{NotDrawn, committee, seat};
pub use frame::ChannelFault;
pub use message::{Draw, Endpoint, MESSAGE_BYTES_MAX, ToProver, ToWitness, WHY_BYTES_MAX};
pub use prove::{NotProved, ProveSettings, Proved, Request, Stage, Why, prove};
pub use prover::{Prover, Reply, Unopened, Work};
pub use stamped::Stamp;
pub use transcript::{PATH_MAX, Part, Path, Transcript};
pub use witness::{Next, Plan, Prepared, Sample, Unsigned, Witness};
pub use work::{WORK_ROUNDS_MAX, WORKS_MAX, WorkRule, answered_in_time};
