//! Bugs to plant, so that the properties can be seen to catch them.
//!
//! A plant replaces the state transition of all validators, or makes one of them lie without being
//! counted among the traitors. The product has no switch for any of this: it is handed its transition.

use crate::committee::Committee;
use consensus::{ApplyBlock, Transition};
use std::sync::Arc;

/// Makes the transition that every validator starts from, given the committee and how often power has failed.
pub type MakeTransition = Arc<dyn Fn(&Arc<Committee>, u32) -> Arc<dyn Transition> + Send + Sync>;

/// The bugs of one simulation; by default there are none.
#[derive(Clone, Default)]
pub struct Plants {
    /// Replaces `chain::apply_block` on every validator.
    pub transition: Option<MakeTransition>,
    /// This validator signs two proposals a view and is held to be correct.
    pub equivocator: Option<usize>,
    /// A validator that lost its disk votes at once, as if its network were new.
    pub forgetful: bool,
}

impl Plants {
    /// The transition that a validator starts from after so many power cuts.
    pub fn transition(&self, committee: &Arc<Committee>, power_cuts: u32) -> Arc<dyn Transition> {
        match &self.transition {
            Some(make) => make(committee, power_cuts),
            None => Arc::new(ApplyBlock),
        }
    }
}
