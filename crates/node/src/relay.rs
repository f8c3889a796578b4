//! The relay: bring each shard the decrees of the backbone and the seats drawn for it, with what proves them.
//!
//! Anyone may; every node does, for the shards it follows. What another brought first is refused here, which does
//! no harm.

use crate::{host::Node, line::Line};
use std::collections::BTreeMap;
use tokio::sync::broadcast::error::RecvError;
use types::{
    Action, ChainId, Relayed,
    codec::{Bytes, DecodeExt as _},
    committee::{RelayedSeats, SeatsRecord},
    governance::Decree,
    state::{Decrees, Event, Key},
};

/// Blocks of the backbone between two looks at whether a shard has missed something.
const LOOKS: u64 = 16;

/// Serve until the backbone's feed ends. `lines` speak for a key of ours on each shard.
pub(crate) async fn serve(node: Node, lines: BTreeMap<ChainId, Line>) {
    let Some(backbone) = node.host(ChainId::Backbone) else { return };
    let mut finals = backbone.chain.finals();
    loop {
        let look = match finals.recv().await {
            Ok(block) => {
                let is_news =
                    |event: &Event| matches!(event, Event::Decree { .. } | Event::Seats { .. });
                let news = block.events.iter().any(is_news);
                news || block.header.height.get().is_multiple_of(LOOKS)
            }
            Err(RecvError::Lagged(_)) => true,
            Err(RecvError::Closed) => return,
        };
        if look {
            for (shard, line) in &lines {
                bring(&node, *shard, line).await;
                bring_seats(&node, *shard, line).await;
            }
        }
    }
}

/// Bring `shard` the decrees it does not know yet, one after the other.
async fn bring(node: &Node, shard: ChainId, line: &Line) {
    let (Some(backbone), Some(host)) = (node.host(ChainId::Backbone), node.host(shard)) else {
        return;
    };
    let known = |decrees: Option<Decrees>| decrees.map_or(0, |decrees| decrees.known);
    let issued = known(backbone.chain.record(Key::Decrees).await);
    let brought = known(host.chain.record(Key::Decrees).await);
    for number in brought + 1..=issued {
        let Some(relayed) = proved(node, number).await else { return };
        if let Err(error) = line.say(Action::Relay(relayed)).await {
            tracing::debug!(%shard, number, %error, "decree not brought");
            return;
        }
        tracing::info!(%shard, number, "decree brought");
    }
}

/// Bring `shard` the seats that were drawn for it last, if it does not know them.
async fn bring_seats(node: &Node, shard: ChainId, line: &Line) {
    let (Some(backbone), Some(host)) = (node.host(ChainId::Backbone), node.host(shard)) else {
        return;
    };
    let key = Key::Seats(shard);
    let number = |seats: Option<SeatsRecord>| seats.map_or(0, |seats| seats.number);
    if number(host.chain.record(key).await) >= number(backbone.chain.record(key).await) {
        return;
    }
    let Some(relayed) = proved_seats(node, &key).await else { return };
    let number = relayed.seats.number;
    match line.say(Action::Seat(relayed)).await {
        Ok(_) => tracing::info!(%shard, number, "seats brought"),
        Err(error) => tracing::debug!(%shard, number, %error, "seats not brought"),
    }
}

async fn proved_seats(node: &Node, key: &Key) -> Option<RelayedSeats> {
    let proof = node.host(ChainId::Backbone)?.chain.prove(key).await?;
    Some(RelayedSeats {
        anchor: node.anchor().clone(),
        seats: SeatsRecord::decode(proof.record?).ok()?,
        header: proof.header,
        certificate: Bytes::new(proof.certificate).ok()?,
        proof: Bytes::new(proof.proof).ok()?,
    })
}

async fn proved(node: &Node, number: u64) -> Option<Relayed> {
    let backbone = node.host(ChainId::Backbone)?;
    let proof = backbone.chain.prove(&Key::Decree(number)).await?;
    Some(Relayed {
        anchor: node.anchor().clone(),
        decree: Decree::decode(proof.record?).ok()?,
        header: proof.header,
        certificate: Bytes::new(proof.certificate).ok()?,
        proof: Bytes::new(proof.proof).ok()?,
    })
}
