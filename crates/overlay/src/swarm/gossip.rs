//! Gossip: published, heard, and judged before it goes on.

use super::Driver;
use crate::{
    message::{Gossip, Verdict},
    meter::Way,
    standing::Fault,
};
use libp2p::{PeerId, gossipsub};

impl Driver {
    pub(super) fn publish(&mut self, topic: String, data: Vec<u8>) {
        let topic = gossipsub::IdentTopic::new(topic);
        self.meter.count("gossip", Way::Out);
        if let Err(error) = self.swarm.behaviour_mut().gossip.publish(topic, data) {
            tracing::debug!(%error, "not published");
        }
    }

    pub(super) fn subscribe(&mut self, topic: String) {
        let topic = gossipsub::IdentTopic::new(topic);
        if let Err(error) = self.swarm.behaviour_mut().gossip.subscribe(&topic) {
            tracing::warn!(%error, "not subscribed");
        }
    }

    pub(super) fn on_message(
        &mut self,
        from: PeerId,
        id: gossipsub::MessageId,
        message: gossipsub::Message,
    ) {
        self.meter.count("gossip", Way::In);
        let topic = message.topic.into_string();
        // Nobody here may be listening.
        drop(self.gossip.send(Gossip { topic, from, data: message.data, id }));
    }

    pub(super) fn judge(&mut self, message: &gossipsub::MessageId, from: PeerId, verdict: Verdict) {
        let acceptance = match verdict {
            Verdict::PassOn => gossipsub::MessageAcceptance::Accept,
            Verdict::Keep => gossipsub::MessageAcceptance::Ignore,
            Verdict::False => gossipsub::MessageAcceptance::Reject,
        };
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        gossip.report_message_validation_result(message, &from, acceptance);
        if verdict == Verdict::False {
            self.blame(from, Fault::FalseGossip);
        }
    }
}
