//! Hears consensus' own reports.

use crate::{
    block::plain_key, clock::now, equivocation::equivocation_of, guarded::Guarded,
    rejoin::Standing, schemes::Schemes, shared::Shared,
};
use commonware_actor::Feedback;
use commonware_codec::Encode as _;
use commonware_consensus::{
    Epochable as _, Reporter,
    simplex::types::{Activity, Attributable as _},
};
use commonware_cryptography::certificate::Scheme as _;
use commonware_runtime::Clock;
use receipt::light::Digest;
use std::sync::Arc;
use types::{Millis, codec::Bytes};

/// Keeps each view's seed for later draws, how far this validator is, and who
/// signed twice.
///
/// Seeds of notarised views too: a block may become final by a later one's certificate and never get
/// its own, and its jobs would wait for ever. The caller makes sure that the block is final.
pub(super) struct Listener<E> {
    /// When a vote was heard.
    pub(super) clock: Arc<E>,
    pub(super) shared: Arc<Shared>,
    pub(super) standing: Arc<Standing>,
    pub(super) schemes: Schemes,
}

impl<E> Clone for Listener<E> {
    fn clone(&self) -> Self {
        let Self { clock, shared, standing, schemes } = self;
        let (clock, shared, standing) = (clock.clone(), shared.clone(), standing.clone());
        Self { clock, shared, standing, schemes: schemes.clone() }
    }
}

impl<E: Clock> Listener<E> {
    fn hear_vote(&self, scheme: &Guarded, activity: &Activity<Guarded, Digest>) {
        let signer = match activity {
            Activity::Notarize(vote) => vote.signer(),
            Activity::Nullify(vote) => vote.signer(),
            Activity::Finalize(vote) => vote.signer(),
            _ => return,
        };
        let key = scheme.participants().get(usize::from(signer));
        if let Some(key) = key.map(plain_key) {
            self.shared.memory().hear_vote(key, Millis::new(now(&*self.clock)));
        }
    }
}

impl<E: Clock> Reporter for Listener<E> {
    type Activity = Activity<Guarded, Digest>;
    fn report(&mut self, activity: Self::Activity) -> Feedback {
        self.standing.hear(&activity);
        // Of the vote's own term: the next committee numbers its members anew, and its scheme would accuse somebody
        // else.
        if let Some(scheme) = self.schemes.get(activity.epoch()) {
            self.hear_vote(&scheme, &activity);
            if let Some(proof) = equivocation_of(&scheme, &activity) {
                self.shared.accuse(proof);
            }
        }
        let (round, certificate) = match &activity {
            Activity::Notarization(notarization) => {
                (notarization.proposal.round, &notarization.certificate)
            }
            Activity::Finalization(finalization) => {
                let round = finalization.proposal.round;
                self.shared.memory().hear_final(round.epoch().get(), round.view().get());
                (finalization.proposal.round, &finalization.certificate)
            }
            _ => return Feedback::Ok,
        };
        if let Some(signature) = certificate.get()
            && let Ok(seed) = Bytes::new(signature.seed_signature.encode().to_vec())
        {
            self.shared.memory().remember_seed(round.epoch().get(), round.view().get(), seed);
        }
        Feedback::Ok
    }
}
