//! What this node keeps for others: their records, and who has which role. Each neighbourhood has its share.

use super::{Driver, now, role_key::is_role_key};
use crate::{
    address::peer_id,
    gate::Prefix,
    record::{BadRecord, PeerRecord},
    standing::Fault,
};
use libp2p::{PeerId, kad};
use std::time::Instant;

impl Driver {
    /// Remember for others who has a role. There are few roles, so that nobody fills the store with keys of his own.
    pub(super) fn keep_provider(&mut self, record: kad::ProviderRecord) {
        if !is_role_key(&record.key) {
            return;
        }
        let prefix = self.prefix_of(&record.provider);
        let group = (record.key.clone(), prefix);
        if self.swarm.behaviour().gate.spares(prefix)
            || self.providers.admit(group, record.provider, Instant::now())
        {
            let store = self.swarm.behaviour_mut().kad.store_mut();
            drop(kad::store::RecordStore::add_provider(store, record));
        }
    }

    /// Keep a record for others, if it is what it says.
    pub(super) fn keep_record(&mut self, source: &PeerId, record: kad::Record) {
        let opened = match PeerRecord::open(&record.value, self.config.network, now()) {
            Ok(opened) => opened,
            // Clocks differ, and records grow old on their way.
            Err(BadRecord::Age) => return,
            Err(_) => return self.blame(*source, Fault::FalseRecord),
        };
        let owner = peer_id(&opened.identity.0);
        if !owner.is_ok_and(|owner| PeerRecord::key(&owner) == record.key.to_vec()) {
            return self.blame(*source, Fault::FalseRecord);
        }
        let prefix = self.prefix_of(source);
        if !self.swarm.behaviour().gate.spares(prefix)
            && !self.records.admit(prefix, record.key.clone(), Instant::now())
        {
            tracing::debug!(%source, "its neighbourhood has enough records here");
            return;
        }
        let store = self.swarm.behaviour_mut().kad.store_mut();
        let older = kad::store::RecordStore::get(store, &record.key)
            .and_then(|kept| PeerRecord::open(&kept.value, self.config.network, now()).ok());
        // A recording of an older record must not bring back addresses that its owner has left.
        if older.is_none_or(|older| older.issued <= opened.issued) {
            drop(kad::store::RecordStore::put(store, record));
        }
    }

    /// Where `peer` is connected from.
    fn prefix_of(&self, peer: &PeerId) -> Prefix {
        let connections = self.peers.get(peer).map(|known| known.connections.values());
        let mut prefixes = connections.into_iter().flatten().map(|(_, at)| Prefix::of(at));
        prefixes.next().unwrap_or(Prefix::Named)
    }
}
