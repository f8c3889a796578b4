//! Imports: bring each shard the records of the backbone that it is to know, with what proves them.
//!
//! Anyone may; every node does, for the shards it follows. What another brought first is refused here, which does
//! no harm. [`KINDS`] lists what is brought.

use crate::{host::Node, line::Line};
use commonware_runtime::tokio::Context;
use consensus::Chain;
use std::collections::BTreeMap;
use tokio::sync::broadcast::error::RecvError;
use types::{
    Action, ChainId, Import, Proved, Record,
    codec::DecodeExt as _,
    committee::SeatsRecord,
    network::NetworkKeys,
    state::{Decrees, Event, Key},
};

/// Blocks of the backbone between two looks at whether a shard has missed something.
const LOOKS: u64 = 16;

/// One kind of record that shards learn from the backbone. Its records are numbered from 1.
struct Kind {
    name: &'static str,
    /// Whether an event of the backbone says that there is a new one.
    is_news: fn(&Event) -> bool,
    /// Where the backbone and a shard hold what they know of the shard's newest, and its number in there.
    newest_at: fn(shard: ChainId) -> Key,
    number: fn(Vec<u8>) -> Option<u64>,
    /// Where the backbone holds the one to bring to a shard that knows those up to a number.
    next_at: fn(shard: ChainId, known: u64) -> Key,
    /// The transaction that brings it.
    action: fn(NetworkKeys, Proved<Option<Record>>) -> Option<Action>,
}

const KINDS: [Kind; 2] = [
    Kind {
        name: "decree",
        is_news: |event| matches!(event, Event::Decree { .. }),
        newest_at: |_| Key::Decrees,
        number: |bytes| Decrees::decode(bytes).ok().map(|decrees| decrees.known),
        next_at: |_, known| Key::Decree(known + 1),
        action: |network_keys, proved| {
            Some(Action::ImportDecree(Import { network_keys, proved: proved.decoded()? }))
        },
    },
    // Only the newest seats matter, so numbers are left out.
    Kind {
        name: "seats",
        is_news: |event| matches!(event, Event::Seats { .. }),
        newest_at: Key::Seats,
        number: |bytes| SeatsRecord::decode(bytes).ok().map(|seats| seats.number),
        next_at: |shard, _| Key::Seats(shard),
        action: |network_keys, proved| {
            Some(Action::ImportSeats(Import { network_keys, proved: proved.decoded()? }))
        },
    },
];

/// Serve until the backbone's feed ends. `lines` speak for a key of ours on each shard.
pub(crate) async fn serve(node: Node, lines: BTreeMap<ChainId, Line>) {
    let Some(backbone) = node.host(ChainId::Backbone) else { return };
    let mut finals = backbone.chain.finals();
    loop {
        let look = match finals.recv().await {
            Ok(block) => {
                let is_news = |event| KINDS.iter().any(|kind| (kind.is_news)(event));
                block.events.iter().any(is_news) || block.header.height.get().is_multiple_of(LOOKS)
            }
            Err(RecvError::Lagged(_)) => true,
            Err(RecvError::Closed) => return,
        };
        if !look {
            continue;
        }
        for (shard, line) in &lines {
            let Some(host) = node.host(*shard) else { continue };
            for kind in &KINDS {
                kind.bring(node.network_keys(), &backbone.chain, &host.chain, line).await;
            }
        }
    }
}

impl Kind {
    /// Bring the shard what it does not know yet, one after the other.
    async fn bring(
        &self,
        network_keys: &NetworkKeys,
        backbone: &Chain<Context>,
        shard: &Chain<Context>,
        line: &Line,
    ) {
        let (kind, to) = (self.name, shard.id());
        loop {
            // Asked anew each time: another node may have brought the last one.
            let known = self.newest(shard, to).await;
            if known >= self.newest(backbone, to).await {
                return;
            }
            let Some(proved) = backbone.prove(&(self.next_at)(to, known)).await else { return };
            let Some(action) = (self.action)(network_keys.clone(), proved) else { return };
            // Most often another node was first. If not, the next look tries again.
            if let Err(error) = line.say(action).await {
                tracing::debug!(kind, %to, known, %error, "not brought");
                return;
            }
            tracing::info!(kind, %to, known, "brought the next");
        }
    }

    /// The number of the newest that `chain` knows for `shard`.
    async fn newest(&self, chain: &Chain<Context>, shard: ChainId) -> u64 {
        let record = chain.records(&[(self.newest_at)(shard)]).await.pop().flatten();
        record.and_then(|bytes| (self.number)(bytes)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{Height, List, codec::Encode as _};

    #[test]
    fn decrees_come_one_after_the_other_and_of_seats_the_newest() {
        let shard = ChainId::Europe;
        let [decree, seats] = &KINDS;
        let known = Decrees { known: 3, ..Decrees::default() }.encode().to_vec();
        assert_eq!((decree.number)(known), Some(3));
        assert_eq!((decree.next_at)(shard, 3), Key::Decree(4));
        let drawn =
            SeatsRecord { chain: shard, number: 7, chosen: Height::new(1), seats: List::default() };
        assert_eq!((seats.number)(drawn.encode().to_vec()), Some(7));
        assert_eq!((seats.newest_at)(shard), Key::Seats(shard));
        assert_eq!((seats.next_at)(shard, 3), Key::Seats(shard));
    }
}
