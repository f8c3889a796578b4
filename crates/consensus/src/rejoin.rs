//! How a validator with an empty disk begins: as one of a new network, or as one that was there before
//! and has forgotten what it signed.
//!
//! It asks its peers how far they are and [`decide`]s:
//!
//! - A quorum, itself included, has seen no certificate: the network is new. Begin at genesis.
//! - `2f + 1` peers have answered and some have seen certificates: the network runs. Sync the state of
//!   the newest final block among the answers (or replay a chain that is young), and sign nothing up to two views after the newest
//!   certificate among them.
//!
//! In a later term than the first it has no share any more, either: that was on its disk. It votes again when the next
//! committee's shares are dealt.
//!
//! Why that is enough: a vote it cast in view `v` in its former life followed a certificate of view
//! `v - 1`. A quorum signed that, so all but `f` of its honest peers voted in `v - 1`, which they
//! entered by a certificate of `v - 2`. Of `2f + 1` answers at most `f` are dishonest and at most `f`
//! from the rest, so one of them knows a certificate of `v - 2` or later. Answers carry the certificate,
//! so that nobody silences a validator with a number. Not covered: a validator wiped within the first
//! two views of its network counts as faulty (ADR 6).

use crate::{begun::Begun, guarded::Guarded, locked::lock, silence::BEGINNING};
use bytes::BufMut;
use commonware_codec::{
    Buf, DecodeExt as _, Encode as _, EncodeSize, Error, Read, ReadExt as _, Write,
};
use commonware_consensus::{
    Epochable as _, Viewable as _,
    simplex::types::{Activity, Certificate, Finalization},
    types::{Epoch as EngineTerm, Round, View},
};
use commonware_p2p::{Blocker, Receiver, Recipients, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::Clock;
use commonware_utils::{Faults as _, N3f1, ordered::Set};
use network::PublicKey;
use rand_core::CryptoRng;
use receipt::light::Digest;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

type Final = Finalization<Guarded, Digest>;
type Certified = Certificate<Guarded, Digest>;

/// How often peers that have not answered, or with nothing useful, are asked again.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// A chain no older than this is replayed: that is as quick as to ask for its state, and a validator that
/// starts a moment after the others has the first blocks too.
const REPLAYED: Round = Round::new(EngineTerm::zero(), View::new(16));

/// How far a validator is: its newest certificate, and its newest of finality.
#[derive(Clone)]
pub(crate) struct Seen {
    certificate: Certified,
    finalization: Option<Final>,
}

/// What a running validator can tell one that asks.
#[derive(Default)]
pub(crate) struct Standing {
    seen: Mutex<Option<Seen>>,
    /// Until the engine has begun, "nothing seen" could be wrong.
    begun: Begun,
}

impl Standing {
    pub(crate) fn begin(&self) {
        self.begun.set();
    }

    /// To be set when the engine begins.
    pub(crate) fn begun(&self) -> Begun {
        self.begun.clone()
    }

    pub(crate) fn hear(&self, activity: &Activity<Guarded, Digest>) {
        let certificate = match activity {
            Activity::Notarization(notarization) => Certified::Notarization(notarization.clone()),
            Activity::Nullification(nullification) => {
                Certified::Nullification(nullification.clone())
            }
            Activity::Finalization(finalization) => Certified::Finalization(finalization.clone()),
            _ => return,
        };
        let mut seen = lock(&self.seen);
        let seen = seen
            .get_or_insert_with(|| Seen { certificate: certificate.clone(), finalization: None });
        // By round and not by arrival: a certificate that comes late must not lower what this validator says it has
        // seen.
        if round_of(&certificate) >= round_of(&seen.certificate) {
            seen.certificate = certificate;
        }
        if let Activity::Finalization(newer) = activity
            && seen.finalization.as_ref().is_none_or(|known| newer.round() > known.round())
        {
            seen.finalization = Some(newer.clone());
        }
    }

    fn answer(&self) -> Option<Message> {
        match lock(&self.seen).clone() {
            Some(seen) => Some(Message::Seen(Box::new(seen))),
            None => self.begun.is_set().then_some(Message::Nothing),
        }
    }
}

/// What validators say to each other about how far they are.
enum Message {
    Ask,
    Nothing,
    Seen(Box<Seen>),
}

impl Write for Message {
    fn write(&self, buf: &mut impl BufMut) {
        match self {
            Self::Ask => 0_u8.write(buf),
            Self::Nothing => 1_u8.write(buf),
            Self::Seen(seen) => {
                2_u8.write(buf);
                seen.certificate.write(buf);
                seen.finalization.write(buf);
            }
        }
    }
}
impl EncodeSize for Message {
    fn encode_size(&self) -> usize {
        1 + match self {
            Self::Ask | Self::Nothing => 0,
            Self::Seen(seen) => seen.certificate.encode_size() + seen.finalization.encode_size(),
        }
    }
}
impl Read for Message {
    type Cfg = ();
    fn read_cfg(buf: &mut impl Buf, _: &()) -> Result<Self, Error> {
        Ok(match u8::read(buf)? {
            0 => Self::Ask,
            1 => Self::Nothing,
            2 => {
                let certificate = Certified::read_cfg(buf, &())?;
                let finalization = Option::<Final>::read_cfg(buf, &())?;
                Self::Seen(Box::new(Seen { certificate, finalization }))
            }
            tag => return Err(Error::InvalidEnum(tag)),
        })
    }
}

/// How to begin.
#[derive(Debug)]
pub(crate) struct Beginning {
    /// The final block whose state to sync; `None`: replay from genesis.
    pub(crate) floor: Option<Final>,
    /// Sign nothing up to this round.
    pub(crate) silent_to: Round,
}

fn round_of(certificate: &Certified) -> Round {
    Round::new(certificate.epoch(), certificate.view())
}

/// How to begin in a committee of `validators`, once enough of them, `others` than the one that asks, have answered.
fn decide(
    validators: usize,
    others: usize,
    answers: &BTreeMap<PublicKey, Option<Seen>>,
) -> Option<Beginning> {
    let faulty = N3f1::max_faults(validators) as usize;
    let newest = answers.values().flatten().map(|seen| round_of(&seen.certificate)).max();
    let Some(newest) = newest else {
        // A quorum, with the one that asks. With fewer, some liars that claim to have seen nothing could make a wiped
        // validator vote twice.
        let quorum = answers.len() >= others - faulty.min(others);
        return quorum.then_some(Beginning { floor: None, silent_to: BEGINNING });
    };
    // Of so many, at least one comes from an honest validator that knows of the view before our last vote (ADR 6).
    if answers.len() < (2 * faulty + 1).min(others) {
        return None;
    }
    let finals = answers.values().flatten().filter_map(|seen| seen.finalization.as_ref());
    Some(Beginning {
        floor: finals
            .max_by_key(|finalization| finalization.round())
            .filter(|newest| newest.round() > REPLAYED)
            .cloned(),
        silent_to: Round::new(newest.epoch(), View::new(newest.view().get().saturating_add(2))),
    })
}

/// A validator's end of the channel.
pub(crate) struct Rejoin<S, R, B> {
    pub(crate) me: PublicKey,
    pub(crate) committee: Set<PublicKey>,
    pub(crate) scheme: Guarded,
    pub(crate) sender: S,
    pub(crate) receiver: R,
    pub(crate) blocker: B,
}

impl<S, R, B> Rejoin<S, R, B>
where
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
{
    /// Ask until [`decide`] has an answer. `None` if the network is gone.
    pub(crate) async fn ask<E: Clock + CryptoRng>(&mut self, context: &mut E) -> Option<Beginning> {
        let mut answers = BTreeMap::new();
        let validators = self.committee.len();
        // Who only follows is none of them.
        let others = validators - usize::from(self.committee.position(&self.me).is_some());
        loop {
            if let Some(beginning) = decide(validators, others, &answers) {
                return Some(beginning);
            }
            self.send(Recipients::All, &Message::Ask);
            let again = context.sleep(ASK_EVERY);
            futures::pin_mut!(again);
            loop {
                let (peer, bytes) = tokio::select! {
                    biased;
                    heard = self.receiver.recv() => heard.ok()?,
                    () = &mut again => break,
                };
                if peer == self.me || self.committee.position(&peer).is_none() {
                    continue;
                }
                match Message::decode(bytes) {
                    // Both have empty disks. Without an answer the validators of a new network would wait for each
                    // other for ever.
                    Ok(Message::Ask) => self.send(Recipients::One(peer), &Message::Nothing),
                    Ok(Message::Nothing) => {
                        // It replaces no answer: a peer that has seen a certificate cannot unsee it.
                        answers.entry(peer).or_insert(None);
                    }
                    Ok(Message::Seen(seen)) if self.holds(context, &seen) => {
                        answers.insert(peer, Some(*seen));
                    }
                    Ok(Message::Seen(_)) | Err(_) => {
                        commonware_p2p::block!(self.blocker, peer, "false word of how far it is");
                    }
                }
                if decide(validators, others, &answers).is_some() {
                    break;
                }
            }
        }
    }

    fn holds<E: CryptoRng>(&self, rng: &mut E, seen: &Seen) -> bool {
        seen.certificate.verify(rng, &self.scheme, &Sequential)
            && seen
                .finalization
                .as_ref()
                .is_none_or(|finalization| finalization.verify(rng, &self.scheme, &Sequential))
    }

    /// Answer every question, until the network is gone.
    pub(crate) async fn answer(mut self, standing: Arc<Standing>) {
        while let Ok((peer, bytes)) = self.receiver.recv().await {
            if matches!(Message::decode(bytes), Ok(Message::Ask))
                && let Some(answer) = standing.answer()
            {
                self.send(Recipients::One(peer), &answer);
            }
        }
    }

    fn send(&mut self, to: Recipients<PublicKey>, message: &Message) {
        // A peer that does not get it asks again.
        let _ = self.sender.send(to, message.encode(), true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarded::tests::{hands, round};
    use commonware_consensus::simplex::types::{Finalize, Nullification, Nullify, Proposal};
    use commonware_cryptography::Signer as _;
    use commonware_utils::iter::NonEmpty;

    fn key(seed: u64) -> PublicKey {
        commonware_cryptography::ed25519::PrivateKey::from_seed(seed).public_key()
    }

    fn seen(nullified: u64, finalized: Option<u64>) -> Option<Seen> {
        let hands = hands();
        let votes: Vec<_> = hands
            .iter()
            .take(3)
            .map(|hand| Nullify::sign::<Digest>(hand, round(nullified)).expect("signs"))
            .collect();
        let votes = NonEmpty::try_new(votes.iter()).expect("three");
        let nullification =
            Nullification::from_nullifies(&hands[0], votes, &Sequential).expect("a quorum");
        let finalization = finalized.map(|view| {
            let proposal =
                Proposal::new(round(view), View::new(view - 1), Digest::from([view as u8; 32]));
            let votes: Vec<_> = hands
                .iter()
                .take(3)
                .map(|hand| Finalize::sign(hand, proposal.clone()).expect("signs"))
                .collect();
            let votes = NonEmpty::try_new(votes.iter()).expect("three");
            Finalization::from_finalizes(&hands[0], votes, &Sequential).expect("a quorum")
        });
        Some(Seen { certificate: Certificate::Nullification(nullification), finalization })
    }

    fn decision(validators: usize, answers: Vec<Option<Seen>>) -> Option<Beginning> {
        let answers = answers.into_iter().enumerate().map(|(n, a)| (key(n as u64), a)).collect();
        decide(validators, validators - 1, &answers)
    }

    #[test]
    fn a_quorum_without_certificates_is_a_new_network() {
        assert!(decision(4, vec![None]).is_none(), "two of four are no quorum");
        let beginning = decision(4, vec![None, None]).expect("three of four are one");
        assert!(beginning.floor.is_none());
        assert_eq!(beginning.silent_to, BEGINNING);
        assert!(decision(1, vec![]).is_some(), "alone");
        assert!(decision(2, vec![]).is_none());
        assert!(decision(2, vec![None]).is_some());
    }

    #[test]
    fn a_follower_is_no_part_of_the_quorum_it_asks() {
        let answers = |count: u64| (0..count).map(|n| (key(n), None)).collect();
        assert!(decide(4, 4, &answers(2)).is_none());
        assert!(decide(4, 4, &answers(3)).is_some());
        assert!(decide(1, 1, &answers(0)).is_none());
    }

    #[test]
    fn one_certificate_is_enough_to_know_better_and_too_few_answers_are_not_enough_to_begin() {
        assert!(decision(4, vec![None, seen(9, None)]).is_none(), "the third may know more");
        let answers = vec![None, seen(29, None), seen(32, Some(28))];
        let beginning = decision(4, answers).expect("2f + 1 have answered");
        assert_eq!(beginning.silent_to, round(34), "two after the newest certificate");
        assert_eq!(beginning.floor.expect("one is final").view(), View::new(28));
        let answers = vec![seen(29, Some(27)), seen(29, Some(28)), seen(29, None)];
        let floor = decision(4, answers).and_then(|beginning| beginning.floor);
        assert_eq!(floor.expect("the newest").view(), View::new(28));
        let young = vec![seen(9, Some(7)), seen(9, Some(8)), seen(9, None)];
        let young = decision(4, young).expect("2f + 1 have answered");
        assert!(young.floor.is_none(), "a young chain is replayed");
        assert_eq!(young.silent_to, round(11), "and votes are forgotten all the same");
    }

    #[test]
    fn messages_come_back_as_they_were_sent() {
        let sent = Message::Seen(Box::new(seen(9, Some(7)).expect("made")));
        let Ok(Message::Seen(back)) = Message::decode(sent.encode()) else { panic!("reads back") };
        assert_eq!(Message::Seen(back).encode(), sent.encode());
        assert!(Message::decode(vec![3_u8]).is_err());
        assert!(Message::decode(Vec::<u8>::new()).is_err());
    }
}
