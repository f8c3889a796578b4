//! Tickets: each validator of this node asks for its seat, once in every epoch.
//!
//! What asks for nothing gets nothing, so a node asks for all whose keys it holds. Whether it will be of use is the draw's matter.

use crate::{host::Node, line::Line};
use crypto::{SigningKey, VrfKey, VrfSuite};
use std::collections::BTreeMap;
use tokio::sync::broadcast::error::RecvError;
use types::{
    Action, Address, Bytes, ChainId, Epoch, Hash, PublicKey,
    attest::AttestationRecord,
    committee::{DrawRecord, Ticket, TicketRecord, VrfRecord, ticket_alpha},
    state::{Event, Key},
};

/// Blocks of the backbone between two looks at whether a ticket was missed.
const LOOKS: u64 = 16;

/// A validator's two keys, and the last epoch it has asked for.
struct Asker {
    voting: PublicKey,
    lots: VrfKey,
    asked: Epoch,
}

/// Serve the validators that vote with `keys` until the backbone's feed ends. `line` speaks for any key on the backbone.
pub(crate) async fn serve(node: Node, keys: Vec<SigningKey>, line: Line) {
    let Some(backbone) = node.host(ChainId::Backbone) else { return };
    let mut finals = backbone.chain.finals();
    let mut askers: BTreeMap<PublicKey, Asker> = keys
        .iter()
        .map(|key| {
            let voting = PublicKey(key.public());
            (voting, Asker { voting, lots: VrfKey::beside(key), asked: Epoch::ZERO })
        })
        .collect();
    loop {
        let look = match finals.recv().await {
            Ok(block) => {
                let opened = block.events.iter().any(|event| matches!(event, Event::Draw { .. }));
                opened || block.header.height.get().is_multiple_of(LOOKS)
            }
            Err(RecvError::Lagged(_)) => true,
            Err(RecvError::Closed) => return,
        };
        if look {
            ask(&node, &mut askers, &line).await;
        }
    }
}

async fn ask(node: &Node, askers: &mut BTreeMap<PublicKey, Asker>, line: &Line) {
    let Some(backbone) = node.host(ChainId::Backbone) else { return };
    let draw: Option<DrawRecord> = backbone.chain.record(Key::Draw).await;
    let Some(draw) = draw.filter(|draw| draw.seed != Hash::ZERO) else { return };
    let mut saying = Vec::new();
    for asker in askers.values_mut().filter(|asker| asker.asked != draw.epoch) {
        let Some(ticket) = ticket(node, asker, &draw).await else { continue };
        saying.push(async move {
            let operator = ticket.operator;
            match line.say(Action::Ticket(ticket)).await {
                Ok(_) => {
                    tracing::debug!(%operator, epoch = draw.epoch.get(), "asked for a seat");
                    // Not before it is final: a ticket that was lost is sent again at the next look.
                    asker.asked = draw.epoch;
                }
                Err(error) => tracing::debug!(%operator, %error, "no ticket"),
            }
        });
    }
    futures::future::join_all(saying).await;
}

/// The ticket of a validator that has none yet.
async fn ticket(node: &Node, asker: &Asker, draw: &DrawRecord) -> Option<Ticket> {
    let chain = &node.host(ChainId::Backbone)?.chain;
    let operator: Address = chain.record(Key::ValidatorKey(asker.voting)).await?;
    let registered: VrfRecord = chain.record(Key::Vrf(operator)).await?;
    let sent: Option<TicketRecord> = chain.record(Key::Ticket(operator)).await;
    // The operator may have registered a key that is not here; a proof by ours would only be refused.
    if registered.key.0 != asker.lots.public()
        || sent.is_some_and(|ticket| ticket.epoch == draw.epoch)
    {
        return None;
    }
    let attestation: Option<AttestationRecord> = chain.record(Key::Attested(operator)).await;
    let attestation = attestation.map_or(Hash::ZERO, |record| record.id());
    let alpha = ticket_alpha(draw.epoch, &draw.seed, &attestation);
    let proof = asker.lots.prove(VrfSuite::Ell2, &alpha.0).to_bytes();
    let proof = Bytes::new(proof.to_vec()).expect("a proof has 80 bytes");
    Some(Ticket { epoch: draw.epoch, operator, proof })
}
