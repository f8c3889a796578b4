//! The network ends of one chain's engine, by the part that uses them.

use super::Channels;

pub(super) struct Ends<S, R> {
    pub(super) questions: Questions<S, R>,
    pub(super) blocks: BlockEnds<S, R>,
    pub(super) state: StateEnds<S, R>,
    pub(super) votes: VoteEnds<S, R>,
    pub(super) dealing: (S, R),
    pub(super) txs: (S, R),
}

/// On which a validator learns where to begin.
pub(super) struct Questions<S, R> {
    pub(super) rejoin: (S, R),
    pub(super) terms: (S, R),
}

pub(super) struct BlockEnds<S, R> {
    /// For new blocks.
    pub(super) blocks: (S, R),
    /// For those that are missing here.
    pub(super) backfill: (S, R),
}

/// For state sync.
pub(super) struct StateEnds<S, R> {
    pub(super) state: (S, R),
    pub(super) outbox: (S, R),
}

pub(super) struct VoteEnds<S, R> {
    pub(super) votes: (S, R),
    pub(super) certificates: (S, R),
    pub(super) resolver: (S, R),
}

impl<S, R> From<Channels<S, R>> for Ends<S, R> {
    fn from(channels: Channels<S, R>) -> Self {
        Self {
            questions: Questions { rejoin: channels.rejoin, terms: channels.terms },
            blocks: BlockEnds { blocks: channels.blocks, backfill: channels.backfill },
            state: StateEnds { state: channels.state, outbox: channels.outbox },
            votes: VoteEnds {
                votes: channels.votes,
                certificates: channels.certificates,
                resolver: channels.resolver,
            },
            dealing: channels.dealing,
            txs: channels.txs,
        }
    }
}
