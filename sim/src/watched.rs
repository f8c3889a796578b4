//! A correct validator's state transition, watched while it builds.

use crate::facts::Facts;
use chain::{Applied, BlockContext, Mode, Proposal, Refusal};
use commonware_consensus::types::{Epoch as EngineTerm, Round, View};
use consensus::{Before, Transition};
use futures::future::{BoxFuture, FutureExt as _};
use std::sync::Arc;
use types::{Beacon, network::Genesis};

const fn round_of(beacon: &Beacon) -> Round {
    Round::new(EngineTerm::new(beacon.term.get()), View::new(beacon.view))
}

pub struct Watched {
    pub inner: Arc<dyn Transition>,
    pub facts: Arc<Facts>,
    pub validator: usize,
}

impl Transition for Watched {
    fn apply<'a>(
        &'a self,
        before: Before<'a>,
        genesis: &'a Genesis,
        context: &'a BlockContext,
        proposal: Proposal,
        mode: Mode,
    ) -> BoxFuture<'a, Result<Applied, Refusal>> {
        async move {
            let applied = self.inner.apply(before, genesis, context, proposal, mode).await?;
            if mode == Mode::Build {
                applied
                    .beacons
                    .iter()
                    .for_each(|beacon| self.facts.drew(self.validator, round_of(beacon)));
            }
            Ok(applied)
        }
        .boxed()
    }
}
