//! A prover's side: which sessions it has, and what it answers, once. Pure: a datagram in, a datagram out.

use crate::{
    AnswerBytes, SessionId, SessionKey, WORK_ROUNDS_MAX, WORKS_MAX,
    datagram::{self, Keys, Kind, Question},
    transcript::{Exchange, Exchanges, Transcript, leaf},
};
use std::collections::BTreeMap;
use types::presence::{PROBES, WITNESSES_MAX};

/// Why a session is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Unopened {
    #[error("there are {WITNESSES_MAX} sessions already")]
    Full,
    #[error("witness {0} has a session already")]
    Twice(u16),
    #[error("witness {0} uses the session name of another witness")]
    Taken(u16),
}

/// What a prover does with a question.
#[derive(Debug)]
pub enum Reply {
    /// Send it at once.
    Answer(AnswerBytes),
    /// Do it elsewhere, so that probes do not wait for it, and send what it gives.
    Work(Work),
}

/// Work that a witness asked for.
pub struct Work {
    question: Question,
    keys: Keys,
}

impl Work {
    /// Do it: milliseconds of one core, at most [`WORK_ROUNDS_MAX`] hashes.
    #[must_use]
    pub fn run(&self) -> AnswerBytes {
        self.question.answer(&self.keys)
    }
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Work({} rounds)", self.question.rounds)
    }
}

/// The sessions of one claim.
#[derive(Default)]
pub struct Prover {
    sessions: BTreeMap<SessionId, Session>,
}

struct Session {
    witness: u16,
    keys: Keys,
    exchanges: Exchanges,
    works: [bool; WORKS_MAX as usize],
}

impl Prover {
    /// Answer the questions of a session from now on. Returns what to send to the witness first.
    ///
    /// # Errors
    /// [`Unopened`].
    pub fn open(
        &mut self,
        witness: u16,
        id: SessionId,
        key: &SessionKey,
    ) -> Result<AnswerBytes, Unopened> {
        if self.sessions.len() >= WITNESSES_MAX {
            return Err(Unopened::Full);
        }
        if self.sessions.values().any(|session| session.witness == witness) {
            return Err(Unopened::Twice(witness));
        }
        if self.sessions.contains_key(&id) {
            return Err(Unopened::Taken(witness));
        }
        let keys = Keys::new(key);
        let opening = datagram::opening(&id, &keys);
        let works = [false; WORKS_MAX as usize];
        self.sessions.insert(id, Session { witness, keys, exchanges: [None; 8], works });
        Ok(opening)
    }

    /// What to do with a datagram; `None` if it is no question of a session, or one of a round that was answered: an attacker
    /// that records questions learns nothing from asking them again.
    pub fn receive(&mut self, datagram: &[u8]) -> Option<Reply> {
        // Before any MAC is computed: a stranger's datagram costs no more than a look into a map.
        let session = self.sessions.get_mut(&datagram::session_of(datagram)?)?;
        let question = Question::open(datagram, &session.keys)?;
        let round = usize::from(question.round);
        match question.kind {
            Kind::Probe => {
                let exchange = session.exchanges.get_mut(round).filter(|known| known.is_none())?;
                let answer = question.answer(&session.keys);
                *exchange =
                    Some(Exchange { nonce: question.nonce, mac: datagram::mac_of(&answer) });
                Some(Reply::Answer(answer))
            }
            // More than the bound is not worked at: one witness could keep a core busy while others measure.
            Kind::Work if question.rounds <= WORK_ROUNDS_MAX => {
                // Rounds count on from the probes.
                let at = round.checked_sub(usize::from(PROBES))?;
                let done = session.works.get_mut(at).filter(|done| !**done)?;
                *done = true;
                Some(Reply::Work(Work { question, keys: session.keys.clone() }))
            }
            Kind::Work => None,
        }
    }

    /// Answer nothing more, and say what was: of all sessions with a probe in them.
    #[must_use]
    pub fn close(self) -> Transcript {
        let leaves = self.sessions.iter().map(|(id, session)| {
            let Session { witness, exchanges, .. } = session;
            (*witness, bits(exchanges), leaf(*witness, id, exchanges))
        });
        // A witness whose questions never came has nothing that it could sign for.
        Transcript::new(leaves.filter(|(_, answered, _)| *answered != 0).collect())
    }
}

fn bits(exchanges: &Exchanges) -> u8 {
    let with_bits = exchanges.iter().enumerate();
    with_bits.fold(0, |bits, (round, known)| bits | u8::from(known.is_some()) << round)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(kind: Kind, round: u8, rounds: u32) -> Question {
        Question { kind, round, rounds, session: [7; 8], nonce: [round; 16] }
    }

    fn prover() -> (Prover, Keys) {
        let mut prover = Prover::default();
        prover.open(3, [7; 8], &SessionKey([1; 32])).unwrap();
        (prover, Keys::new(&SessionKey([1; 32])))
    }

    #[test]
    fn a_round_is_answered_once() {
        let (mut prover, keys) = prover();
        for round in 0..PROBES {
            let asked = question(Kind::Probe, round, 0);
            let Some(Reply::Answer(answer)) = prover.receive(&asked.seal(&keys)) else {
                panic!("round {round}")
            };
            assert_eq!(answer, asked.answer(&keys));
            assert!(prover.receive(&asked.seal(&keys)).is_none(), "the same again");
            let other = Question { nonce: [99; 16], ..asked };
            assert!(prover.receive(&other.seal(&keys)).is_none(), "another of the same round");
        }
        assert!(prover.receive(&question(Kind::Probe, PROBES, 0).seal(&keys)).is_none());
        assert_eq!(prover.close().part(3).unwrap().answered, 0xff);
    }

    #[test]
    fn whatever_is_not_of_the_session_is_dropped() {
        let (mut prover, keys) = prover();
        let sealed = question(Kind::Probe, 0, 0).seal(&keys);
        for byte in 0..sealed.len() {
            let mut flipped = sealed;
            flipped[byte] ^= 0x80;
            assert!(prover.receive(&flipped).is_none(), "byte {byte}");
            assert!(prover.receive(&sealed[..byte]).is_none(), "cut to {byte}");
        }
        let elsewhere = Question { session: [8; 8], ..question(Kind::Probe, 0, 0) };
        assert!(prover.receive(&elsewhere.seal(&keys)).is_none());
        let another = Keys::new(&SessionKey([2; 32]));
        assert!(prover.receive(&question(Kind::Probe, 0, 0).seal(&another)).is_none());
        assert!(matches!(prover.receive(&sealed), Some(Reply::Answer(_))), "it was still open");
    }

    #[test]
    fn work_is_bounded() {
        let (mut prover, keys) = prover();
        let mut works = |round, rounds| {
            let reply = prover.receive(&question(Kind::Work, round, rounds).seal(&keys));
            matches!(reply, Some(Reply::Work(_)))
        };
        assert!(!works(8, WORK_ROUNDS_MAX + 1), "too long");
        assert!(works(8, WORK_ROUNDS_MAX));
        assert!(!works(8, 1), "twice");
        assert!(!works(7, 1) && !works(12, 1), "no round of work");
        assert!(works(11, 1));
        assert_eq!(prover.close().part(3), None, "work is no probe");
    }

    #[test]
    fn sessions_are_bounded_and_apart() {
        let (mut prover, _) = prover();
        let key = SessionKey([1; 32]);
        assert_eq!(prover.open(3, [8; 8], &key), Err(Unopened::Twice(3)));
        assert_eq!(prover.open(4, [7; 8], &key), Err(Unopened::Taken(4)));
        for witness in 4..99 {
            let id = u64::from(witness).to_be_bytes();
            prover.open(witness, id, &key).unwrap();
        }
        assert_eq!(prover.open(99, [9; 8], &key), Err(Unopened::Full));
    }
}
