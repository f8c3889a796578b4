//! Hears consensus' own reports.

use crate::{
    equivocation::equivocation_of, guarded::Guarded, rejoin::Standing, schemes::Schemes,
    shared::Shared,
};
use commonware_actor::Feedback;
use commonware_codec::Encode as _;
use commonware_consensus::{Epochable as _, Reporter, simplex::types::Activity};
use receipt::light::Digest;
use std::sync::Arc;
use types::codec::Bytes;

/// Keeps each view's seed for later draws, how far this validator is, and who
/// signed twice.
///
/// Seeds of notarised views too: a block may become final by a later one's certificate and never get
/// its own, and its jobs would wait for ever. Whoever draws sees to it that the block is final.
#[derive(Clone)]
pub(super) struct Listener {
    pub(super) shared: Arc<Shared>,
    pub(super) standing: Arc<Standing>,
    pub(super) schemes: Schemes,
}

impl Reporter for Listener {
    type Activity = Activity<Guarded, Digest>;
    fn report(&mut self, activity: Self::Activity) -> Feedback {
        self.standing.hear(&activity);
        let scheme = self.schemes.get(activity.epoch());
        if let Some(proof) = scheme.and_then(|scheme| equivocation_of(&scheme, &activity)) {
            self.shared.accuse(proof);
        }
        let (round, certificate) = match &activity {
            Activity::Notarization(notarization) => {
                (notarization.proposal.round, &notarization.certificate)
            }
            Activity::Finalization(finalization) => {
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
