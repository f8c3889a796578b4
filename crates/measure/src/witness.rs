//! A witness's side: what is asked when, and what the answers say. Pure: times are microseconds of one clock, passed in.

use crate::{
    Nonce, QuestionBytes, SessionId, SessionKey, WorkRule, answered_in_time,
    datagram::{self, Keys, Kind, Question},
    schedule::schedule,
    transcript::{Exchange, Exchanges, Part, leads_to, leaf},
};
use types::{Hash, presence::PROBES};

/// How a witness measures. The same at every witness as a rule, agreed on by nobody: only the minimum counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Microseconds that questions are spread over. Long enough that a busy moment does not last for all of them.
    pub window_us: u32,
    /// Microseconds that an answer may take; further than any place on earth (about 0.4 s). Then it is lost.
    pub patience_us: u32,
    /// What is asked after the probes.
    pub work: Option<WorkRule>,
}

impl Plan {
    /// The product's: four seconds, and one second of patience.
    pub const DEFAULT: Self = Self { window_us: 4_000_000, patience_us: 1_000_000, work: None };
}

/// A session before its first question.
pub struct Prepared {
    witness: Witness,
}

/// A session: questions in their order, the probes first.
pub struct Witness {
    index: u16,
    id: SessionId,
    key: SessionKey,
    opening: crate::AnswerBytes,
    asked: Vec<Asked>,
    /// Of the questions, the first that was not sent.
    next: usize,
    plan: Plan,
}

struct Asked {
    question: Question,
    sealed: QuestionBytes,
    expected: crate::AnswerBytes,
    due_us: u64,
    sent_us: Option<u64>,
    rtt_us: Option<u32>,
}

/// What a session waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The time of a question.
    Ask {
        /// When, in microseconds since the session began.
        at_us: u64,
    },
    /// Answers; none counts after that time.
    Wait {
        /// Until when, in microseconds since the session began.
        until_us: u64,
    },
    /// Nothing: all were answered.
    Over,
}

/// An answer that is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// What was asked for.
    pub kind: Kind,
    /// Which of the questions.
    pub round: u8,
    /// The round trip, in microseconds.
    pub rtt_us: u32,
}

/// Why a witness does not sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Unsigned {
    #[error("the prover answered none of {PROBES} challenges")]
    NoAnswer,
    #[error("the transcript does not contain what was measured")]
    Transcript,
    #[error("the quickest work took {took_us:?} µs, but the place allows {allowed_us} µs")]
    Late { took_us: Option<u32>, allowed_us: u64 },
}

impl Prepared {
    /// All of a session from 32 random bytes that nobody else knows: its name, its key, what is asked and when. Computes
    /// the work that it will ask for: as long as that takes the prover.
    ///
    /// # Panics
    /// If the plan's work is more than its bounds: a setting of one's own.
    #[must_use]
    pub fn new(index: u16, seed: &[u8; 32], plan: &Plan) -> Self {
        assert!(plan.work.is_none_or(|rule| rule.is_sound()), "work within its bounds: {plan:?}");
        let mut random = blake3::Hasher::new_derive_key("meshx/measure/session/v1");
        let mut random = random.update(seed).finalize_xof();
        let mut fill = |bytes: &mut [u8]| random.fill(bytes);
        let (mut id, mut key) = ([0; 8], SessionKey([0; 32]));
        fill(&mut id);
        fill(&mut key.0);
        let keys = Keys::new(&key);
        let works = plan.work.map_or(0, |rule| rule.count);
        let moments: Vec<u64> = (0..PROBES + works)
            .map(|_| {
                let mut bytes = [0; 8];
                fill(&mut bytes);
                u64::from_be_bytes(bytes)
            })
            .collect();
        let dues = schedule(plan.window_us, &moments);
        let asked = (0..).zip(dues).map(|(round, due_us)| {
            let mut nonce: Nonce = [0; 16];
            fill(&mut nonce);
            let (kind, rounds) = match plan.work {
                Some(rule) if round >= PROBES => (Kind::Work, rule.rounds),
                _ => (Kind::Probe, 0),
            };
            let question = Question { kind, round, rounds, session: id, nonce };
            // All MACs are computed before the first question, so that nothing but the way is measured.
            let (sealed, expected) = (question.seal(&keys), question.answer(&keys));
            Asked { question, sealed, expected, due_us, sent_us: None, rtt_us: None }
        });
        let asked = asked.collect();
        let opening = datagram::opening(&id, &keys);
        Self { witness: Witness { index, id, key, opening, asked, next: 0, plan: *plan } }
    }

    /// Names the session in datagrams.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.witness.id
    }

    /// Authenticates its datagrams.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        self.witness.key.clone()
    }

    /// Is this what the prover sends first?
    #[must_use]
    pub fn is_opening(&self, datagram: &[u8]) -> bool {
        self.witness.is_opening(datagram)
    }

    /// Ask from that moment on.
    #[must_use]
    pub fn begin(mut self, now_us: u64) -> Witness {
        for asked in &mut self.witness.asked {
            asked.due_us = asked.due_us.saturating_add(now_us);
        }
        self.witness
    }
}

impl Witness {
    /// Its place in the period's list.
    #[must_use]
    pub const fn index(&self) -> u16 {
        self.index
    }

    /// Whether this datagram is the prover's first of this session.
    #[must_use]
    pub fn is_opening(&self, datagram: &[u8]) -> bool {
        datagram::is_the(datagram, &self.opening)
    }

    /// What to do now.
    #[must_use]
    pub fn next(&self) -> Next {
        if let Some(asked) = self.asked.get(self.next) {
            return Next::Ask { at_us: asked.due_us };
        }
        let unanswered = self.asked.iter().filter(|asked| asked.rtt_us.is_none());
        match unanswered.filter_map(|asked| asked.sent_us).max() {
            Some(sent_us) => {
                Next::Wait { until_us: sent_us.saturating_add(u64::from(self.plan.patience_us)) }
            }
            None => Next::Over,
        }
    }

    /// The question whose time has come; it counts as sent at `now_us`, so send it at once.
    pub fn ask(&mut self, now_us: u64) -> Option<&QuestionBytes> {
        let asked = self.asked.get_mut(self.next).filter(|asked| asked.due_us <= now_us)?;
        asked.sent_us = Some(now_us);
        self.next += 1;
        Some(&asked.sealed)
    }

    /// What a datagram that came at `at_us` says; `None` if it answers nothing that was asked, or came too late, or twice.
    pub fn receive(&mut self, datagram: &[u8], at_us: u64) -> Option<Sample> {
        let round = datagram::round_of(datagram)?;
        let asked =
            self.asked.get_mut(usize::from(round)).filter(|asked| asked.rtt_us.is_none())?;
        let took_us = at_us.checked_sub(asked.sent_us?)?;
        if !datagram::is_the(datagram, &asked.expected) {
            return None;
        }
        let rtt_us = u32::try_from(took_us).ok().filter(|us| *us <= self.plan.patience_us)?;
        asked.rtt_us = Some(rtt_us);
        Some(Sample { kind: asked.question.kind, round, rtt_us })
    }

    /// The quickest answer to a probe, in microseconds.
    #[must_use]
    pub fn minimum_us(&self) -> Option<u32> {
        self.quickest(Kind::Probe).and_then(|asked| asked.rtt_us)
    }

    /// Times of the probes that were answered, in microseconds, by round.
    #[must_use]
    pub fn samples_us(&self) -> Vec<u32> {
        self.of_kind(Kind::Probe).filter_map(|asked| asked.rtt_us).collect()
    }

    /// What to sign for a transcript: the minimum.
    ///
    /// # Errors
    /// [`Unsigned`] if there is none, if the transcript leaves out an answer that came, or if work took longer than the
    /// minimum explains. Who signed the transcript is not looked at here.
    pub fn sign_for(&self, transcript: &Hash, part: &Part) -> Result<u32, Unsigned> {
        let minimum_us = self.minimum_us().ok_or(Unsigned::NoAnswer)?;
        let mut exchanges: Exchanges = [None; PROBES as usize];
        for (asked, exchange) in self.of_kind(Kind::Probe).zip(&mut exchanges) {
            // An answer that was lost on its way is in the prover's transcript, and not among ours.
            let answered = part.answered >> asked.question.round & 1 == 1;
            if !answered && asked.rtt_us.is_some() {
                return Err(Unsigned::Transcript);
            }
            *exchange = answered.then(|| Exchange {
                nonce: asked.question.nonce,
                mac: datagram::mac_of(&asked.expected),
            });
        }
        let leaf = leaf(self.index, &self.id, &exchanges);
        if !leads_to(leaf, part.position, &part.path, transcript) {
            return Err(Unsigned::Transcript);
        }
        self.check_work(minimum_us)?;
        Ok(minimum_us)
    }

    /// Of several items the quickest counts, as of probes.
    fn check_work(&self, minimum_us: u32) -> Result<(), Unsigned> {
        let Some(rule) = self.plan.work.filter(|rule| rule.count > 0) else { return Ok(()) };
        let in_time = self.of_kind(Kind::Work).any(|asked| {
            let (Some(sent_us), Some(rtt_us)) = (asked.sent_us, asked.rtt_us) else { return false };
            let received_us = sent_us.saturating_add(u64::from(rtt_us));
            answered_in_time(sent_us, received_us, minimum_us, rule.allowance_us)
        });
        if in_time {
            return Ok(());
        }
        Err(Unsigned::Late {
            took_us: self.quickest(Kind::Work).and_then(|asked| asked.rtt_us),
            allowed_us: u64::from(minimum_us) + u64::from(rule.allowance_us),
        })
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Asked> {
        self.asked.iter().filter(move |asked| asked.question.kind == kind)
    }

    fn quickest(&self, kind: Kind) -> Option<&Asked> {
        let answered = self.of_kind(kind).filter(|asked| asked.rtt_us.is_some());
        answered.min_by_key(|asked| asked.rtt_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AnswerBytes, Prover, Reply};
    use proptest::prelude::*;

    const PLAN: Plan = Plan { window_us: 80_000, patience_us: 50_000, work: None };

    /// All questions, sent when they are due, and what a prover answers.
    fn asked(plan: Plan) -> (Witness, Prover, Vec<(u64, AnswerBytes)>) {
        let prepared = Prepared::new(3, &[9; 32], &plan);
        let mut prover = Prover::default();
        let opening = prover.open(3, prepared.id(), &prepared.key()).unwrap();
        assert!(prepared.is_opening(&opening));
        let mut witness = prepared.begin(1_000);
        let mut answers = Vec::new();
        while let Next::Ask { at_us } = witness.next() {
            assert_eq!(witness.ask(at_us - 1), None, "not yet");
            let question = *witness.ask(at_us).unwrap();
            let answer = match prover.receive(&question).unwrap() {
                Reply::Answer(answer) => answer,
                Reply::Work(work) => work.run(),
            };
            answers.push((at_us, answer));
        }
        assert_eq!(witness.ask(u64::MAX), None, "that was all");
        (witness, prover, answers)
    }

    proptest! {
        /// The minimum is the smallest of the times that came, in any order, and is signed.
        #[test]
        fn the_minimum_is_the_smallest(
            fates in proptest::collection::vec((proptest::option::of(0_u32..60_000), any::<u16>(), any::<bool>()), 8)
        ) {
            let (mut witness, prover, answers) = asked(PLAN);
            let mut arrivals: Vec<_> = fates.iter().zip(&answers).filter_map(|((rtt, order, twice), answer)| {
                rtt.map(|rtt| (*order, rtt, *twice, *answer))
            }).collect();
            arrivals.sort_by_key(|(order, ..)| *order);
            for (_, rtt, twice, (sent_us, answer)) in &arrivals {
                let sample = witness.receive(answer, sent_us + u64::from(*rtt));
                prop_assert_eq!(sample.map(|sample| sample.rtt_us), (*rtt <= 50_000).then_some(*rtt));
                if *twice && sample.is_some() {
                    prop_assert_eq!(witness.receive(answer, *sent_us), None);
                }
            }
            let wanted = arrivals.iter().map(|(_, rtt, ..)| *rtt).filter(|rtt| *rtt <= 50_000).min();
            prop_assert_eq!(witness.minimum_us(), wanted);
            let transcript = prover.close();
            let signed = witness.sign_for(&transcript.root(), &transcript.part(3).unwrap());
            prop_assert_eq!(signed, wanted.ok_or(Unsigned::NoAnswer));
        }
    }

    #[test]
    fn a_session_ends() {
        let (mut witness, _, answers) = asked(PLAN);
        let (last_us, _) = *answers.last().unwrap();
        assert_eq!(witness.next(), Next::Wait { until_us: last_us + 50_000 });
        for (sent_us, answer) in &answers {
            assert!(witness.receive(answer, sent_us + 7).is_some());
        }
        assert_eq!(witness.next(), Next::Over);
        assert_eq!(witness.samples_us(), [7; 8]);
    }

    #[test]
    fn no_answer_but_its_own() {
        let (mut witness, _, answers) = asked(PLAN);
        let (sent_us, answer) = answers[0];
        for byte in 0..answer.len() {
            let mut flipped = answer;
            flipped[byte] ^= 1;
            assert_eq!(witness.receive(&flipped, sent_us + 5), None, "byte {byte}");
            assert_eq!(witness.receive(&answer[..byte], sent_us + 5), None, "cut to {byte}");
        }
        // Of the same prover, but of another session.
        let other = Prepared::new(3, &[8; 32], &PLAN);
        let mut prover = Prover::default();
        prover.open(3, other.id(), &other.key()).unwrap();
        let mut other = other.begin(0);
        let Some(Reply::Answer(foreign)) = prover.receive(other.ask(u64::MAX).unwrap()) else {
            panic!("an answer")
        };
        assert_eq!(witness.receive(&foreign, sent_us + 5), None);
        assert_eq!(witness.receive(&answer, sent_us - 1), None, "before it was asked");
        assert!(witness.receive(&answer, sent_us + 5).is_some());
    }

    #[test]
    fn a_transcript_has_what_came() {
        let (mut witness, prover, answers) = asked(PLAN);
        let (sent_us, answer) = answers[2];
        witness.receive(&answer, sent_us + 9);
        let transcript = prover.close();
        let (root, part) = (transcript.root(), transcript.part(3).unwrap());
        assert_eq!(witness.sign_for(&root, &part), Ok(9));
        for answered in [0b1111_1011, 0b100, 0] {
            let part = Part { answered, ..part.clone() };
            assert_eq!(witness.sign_for(&root, &part), Err(Unsigned::Transcript), "{answered:b}");
        }
        assert_eq!(witness.sign_for(&Hash::ZERO, &part), Err(Unsigned::Transcript));
    }

    #[test]
    fn work_from_elsewhere_is_late() {
        let rule = WorkRule { count: 2, rounds: 100, allowance_us: 3_000 };
        let check = |works: [Option<u64>; 2]| {
            let (mut witness, prover, answers) = asked(Plan { work: Some(rule), ..PLAN });
            for (sent_us, answer) in &answers[..8] {
                witness.receive(answer, sent_us + 10_000).unwrap();
            }
            for ((sent_us, answer), took_us) in answers[8..].iter().zip(works) {
                took_us.map(|took_us| witness.receive(answer, sent_us + took_us).unwrap());
            }
            let transcript = prover.close();
            witness.sign_for(&transcript.root(), &transcript.part(3).unwrap())
        };
        assert_eq!(check([Some(12_000), Some(13_000)]), Ok(10_000));
        assert_eq!(check([Some(40_000), Some(13_000)]), Ok(10_000), "the quickest counts");
        assert_eq!(check([None, Some(13_000)]), Ok(10_000), "a lost one is just lost");
        let late = |took_us| Err(Unsigned::Late { took_us, allowed_us: 13_000 });
        assert_eq!(check([Some(13_001), Some(20_000)]), late(Some(13_001)));
        assert_eq!(check([None, None]), late(None));
    }

    #[test]
    fn sessions_differ() {
        let of = |seed| Prepared::new(0, &[seed; 32], &PLAN);
        let (a, b) = (of(1), of(2));
        assert_ne!(a.id(), b.id());
        assert_ne!(a.key(), b.key());
        assert_ne!(a.begin(0).next(), b.begin(0).next());
        assert_eq!(of(1).id(), of(1).id());
    }
}
