//! Datagrams: what a witness asks and a prover answers, of fixed sizes, under keys that only these two have.
//!
//! ```text
//! question  kind 1 │ round 1 │ 0 0 │ rounds of work 4 │ session 8 │ nonce 16 │ MAC 32
//! answer    kind 1 │ round 1 │ 0 0 │ rounds of work 4 │ session 8 │            MAC 32
//! opening   0        0         0 0   0 0 0 0            session 8              MAC 32
//! ```
//! A MAC is keyed BLAKE3: checking a question and answering it takes 0.3 µs, where an Ed25519 signature alone takes 17 (one
//! core of a server), and both count as distance: 100 m for each microsecond. Each use has a key of its own, so that nothing that one side made passes for what the other should make.

use crate::work;
use bytes::BufMut;
use types::{
    codec::{Buf, Error, FixedSize, Read, ReadExt as _, Write},
    describe::{Type, Wire},
};
use zeroize::ZeroizeOnDrop;

/// Bytes of a question.
pub const QUESTION_BYTES: usize = 64;
/// Bytes of an answer: fewer than of a question, so that nobody is flooded through a prover.
pub const ANSWER_BYTES: usize = 48;
/// Of a question that its answer repeats, and of it that is authenticated.
const HEAD: usize = 16;
const BODY: usize = 32;

/// Names a session at its prover; random.
pub type SessionId = [u8; 8];
/// What nobody can answer before it is asked.
pub type Nonce = [u8; 16];
/// A question on the wire.
pub type QuestionBytes = [u8; QUESTION_BYTES];
/// An answer on the wire.
pub type AnswerBytes = [u8; ANSWER_BYTES];

/// What a witness made for one claim and told only the holder of the claim's key. Wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub struct SessionKey(pub [u8; 32]);

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionKey")
    }
}
impl Write for SessionKey {
    fn write(&self, buf: &mut impl BufMut) {
        self.0.write(buf);
    }
}
impl FixedSize for SessionKey {
    const SIZE: usize = 32;
}
impl Read for SessionKey {
    type Cfg = ();
    fn read_cfg(buf: &mut impl Buf, _: &()) -> Result<Self, Error> {
        Ok(Self(<[u8; 32]>::read(buf)?))
    }
}
impl Wire for SessionKey {
    const TYPE: Type = Type::Array { bytes: 32 };
}

/// The keys of a session, one for each use and direction.
#[derive(Clone, ZeroizeOnDrop)]
pub(crate) struct Keys {
    opening: [u8; 32],
    probe: [u8; 32],
    probe_answer: [u8; 32],
    work: [u8; 32],
    work_answer: [u8; 32],
}

impl Keys {
    pub(crate) fn new(key: &SessionKey) -> Self {
        let derive = |context| blake3::derive_key(context, &key.0);
        Self {
            opening: derive("meshx/measure/opening/v1"),
            probe: derive("meshx/measure/probe/v1"),
            probe_answer: derive("meshx/measure/probe-answer/v1"),
            work: derive("meshx/measure/work/v1"),
            work_answer: derive("meshx/measure/work-answer/v1"),
        }
    }
}

/// What a question wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// An answer at once: the round trip is measured.
    Probe = 1,
    /// An answer after [work](crate::WorkRule).
    Work = 2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) kind: Kind,
    pub(crate) round: u8,
    /// Of work; none in a probe.
    pub(crate) rounds: u32,
    pub(crate) session: SessionId,
    pub(crate) nonce: Nonce,
}

impl Question {
    fn body(&self) -> [u8; BODY] {
        let mut body = [0; BODY];
        body[0] = self.kind as u8;
        body[1] = self.round;
        body[4..8].copy_from_slice(&self.rounds.to_be_bytes());
        body[8..HEAD].copy_from_slice(&self.session);
        body[HEAD..].copy_from_slice(&self.nonce);
        body
    }

    pub(crate) fn seal(&self, keys: &Keys) -> QuestionBytes {
        let body = self.body();
        let mac = blake3::keyed_hash(asking(self.kind, keys), &body);
        let mut datagram = [0; QUESTION_BYTES];
        datagram[..BODY].copy_from_slice(&body);
        datagram[BODY..].copy_from_slice(mac.as_bytes());
        datagram
    }

    /// The question in a datagram, if the session's witness made it.
    pub(crate) fn open(datagram: &[u8], keys: &Keys) -> Option<Self> {
        let datagram: &QuestionBytes = datagram.try_into().ok()?;
        let (body, mac) = datagram.split_first_chunk::<BODY>()?;
        let kind = match body[0] {
            1 => Kind::Probe,
            2 => Kind::Work,
            _ => return None,
        };
        // The comparison of hashes takes the same time wherever they differ.
        let authentic =
            blake3::keyed_hash(asking(kind, keys), body) == *<&[u8; 32]>::try_from(mac).ok()?;
        authentic.then(|| Self {
            kind,
            round: body[1],
            rounds: u32::from_be_bytes(chunk(&body[4..])),
            session: chunk(&body[8..]),
            nonce: chunk(&body[HEAD..]),
        })
    }

    /// The one answer to it: what a prover sends, and what a witness expects. A probe's is a MAC over the question, a work's
    /// over question and result.
    pub(crate) fn answer(&self, keys: &Keys) -> AnswerBytes {
        let body = self.body();
        let mac = match self.kind {
            Kind::Probe => blake3::keyed_hash(&keys.probe_answer, &body),
            Kind::Work => {
                let mut both = [0; BODY + 32];
                both[..BODY].copy_from_slice(&body);
                both[BODY..].copy_from_slice(&work::result(&self.nonce, self.rounds));
                blake3::keyed_hash(&keys.work_answer, &both)
            }
        };
        let mut datagram = [0; ANSWER_BYTES];
        datagram[..HEAD].copy_from_slice(&body[..HEAD]);
        datagram[HEAD..].copy_from_slice(mac.as_bytes());
        datagram
    }
}

/// What a prover sends first: it opens the prover's firewall for the witness, and shows the witness where it is seen from.
pub(crate) fn opening(session: &SessionId, keys: &Keys) -> AnswerBytes {
    let mut datagram = [0; ANSWER_BYTES];
    datagram[8..HEAD].copy_from_slice(session);
    let mac = blake3::keyed_hash(&keys.opening, &datagram[..HEAD]);
    datagram[HEAD..].copy_from_slice(mac.as_bytes());
    datagram
}

/// Are these bytes that answer (or opening)? In the same time wherever they differ.
pub(crate) fn is_the(datagram: &[u8], expected: &AnswerBytes) -> bool {
    let Ok(datagram) = <&AnswerBytes>::try_from(datagram) else { return false };
    datagram[..HEAD] == expected[..HEAD]
        && blake3::Hash::from_bytes(chunk(&datagram[HEAD..])) == chunk(&expected[HEAD..])
}

/// The session that a datagram says to be of, for finding the keys to check it with.
pub(crate) fn session_of(datagram: &[u8]) -> Option<SessionId> {
    datagram.get(8..HEAD).map(chunk)
}

/// The round that an answer says to be of.
pub(crate) fn round_of(datagram: &[u8]) -> Option<u8> {
    datagram.get(1).copied()
}

/// The MAC of an answer.
pub(crate) fn mac_of(answer: &AnswerBytes) -> [u8; 32] {
    chunk(&answer[HEAD..])
}

fn asking(kind: Kind, keys: &Keys) -> &[u8; 32] {
    match kind {
        Kind::Probe => &keys.probe,
        Kind::Work => &keys.work,
    }
}

fn chunk<const N: usize>(bytes: &[u8]) -> [u8; N] {
    *bytes.first_chunk().expect("the layout has that many")
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn question(kind: Kind) -> Question {
        let rounds = if kind == Kind::Work { 10 } else { 0 };
        Question { kind, round: 3, rounds, session: [7; 8], nonce: [9; 16] }
    }

    #[test]
    fn a_question_passes_whole_and_not_otherwise() {
        let keys = Keys::new(&SessionKey([1; 32]));
        for question in [question(Kind::Probe), question(Kind::Work)] {
            let sealed = question.seal(&keys);
            assert_eq!(Question::open(&sealed, &keys), Some(question));
            assert_eq!(session_of(&sealed), Some([7; 8]));
            for bit in 0..8 * QUESTION_BYTES {
                let mut flipped = sealed;
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(Question::open(&flipped, &keys), None, "bit {bit}");
            }
            for length in 0..QUESTION_BYTES {
                assert_eq!(Question::open(&sealed[..length], &keys), None, "{length} bytes");
            }
            assert_eq!(Question::open(&[&sealed[..], &[0]].concat(), &keys), None);
            assert_eq!(Question::open(&sealed, &Keys::new(&SessionKey([2; 32]))), None);
        }
    }

    #[test]
    fn an_answer_is_the_expected_one_or_none() {
        let keys = Keys::new(&SessionKey([1; 32]));
        let others = Keys::new(&SessionKey([2; 32]));
        for question in [question(Kind::Probe), question(Kind::Work)] {
            let answer = question.answer(&keys);
            assert!(is_the(&answer, &question.answer(&keys)));
            assert!(!is_the(&answer, &question.answer(&others)));
            let another = Question { nonce: [8; 16], ..question };
            assert!(!is_the(&answer, &another.answer(&keys)));
            for bit in 0..8 * ANSWER_BYTES {
                let mut flipped = answer;
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(!is_the(&flipped, &answer), "bit {bit}");
            }
            for length in 0..ANSWER_BYTES {
                assert!(!is_the(&answer[..length], &answer), "{length} bytes");
            }
            assert_ne!(mac_of(&answer), question.seal(&keys)[BODY..], "directions have own keys");
        }
    }

    /// Nodes of different builds measure each other.
    #[test]
    fn datagrams_are_pinned() {
        let keys = Keys::new(&SessionKey([1; 32]));
        let shown =
            |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        expect!["010300000000000007070707070707070909090909090909090909090909090940c5e811af60464e02ee1e615cad93af10375383abfa1553e5ea2c6ee0d6ce14"].assert_eq(&shown(&question(Kind::Probe).seal(&keys)));
        expect!["010300000000000007070707070707075c8eb772f6b690b87b3204709ae30096e5e417fc424778805f5545a8d97ce14d"].assert_eq(&shown(&question(Kind::Probe).answer(&keys)));
        expect!["020300000000000a07070707070707070909090909090909090909090909090940cd6397a07e74db5f7c5721b9c4aaf53148b37c0d8f9d83b9073ca55db54237"].assert_eq(&shown(&question(Kind::Work).seal(&keys)));
        expect!["020300000000000a070707070707070755b1457adcdcda7369cd79b5e1fde1531a77fc6ab1a03750066f47f0cd99d3ac"].assert_eq(&shown(&question(Kind::Work).answer(&keys)));
        expect!["0000000000000000070707070707070717c3fa3758c7f8b6e78a6821c24339154f202206221b342d137bc26e103c3d84"].assert_eq(&shown(&opening(&[7; 8], &keys)));
    }

    #[test]
    fn a_key_is_not_printed() {
        assert_eq!(format!("{:?}", SessionKey([0xab; 32])), "SessionKey");
    }
}
