//! A message that is gossiped, and the verdict of a node that hears it.

use libp2p::{PeerId, gossipsub};

/// A message that somebody published.
#[derive(Clone, Debug)]
pub struct Gossip {
    /// The topic it was published under.
    pub topic: String,
    /// Who passed it on, not who made it: gossip is not signed here.
    pub from: PeerId,
    /// What was published. The overlay does not decode it.
    pub data: Vec<u8>,
    pub(crate) id: gossipsub::MessageId,
}

/// What to do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is true and new: others shall hear it.
    PassOn,
    /// It is of no use to others, and nobody is to blame.
    Keep,
    /// The peer that passed it on could have seen that it is false: it counts as a fault.
    False,
}
