//! Lookups in the network's table: what somebody here waits for, and what has been found so far.

use super::{Driver, now, role_key::role_key};
use crate::{
    Cell,
    address::identity_of,
    meter::Way,
    record::{PeerRecord, Role},
};
use libp2p::{PeerId, kad};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;
use types::ChainId;

/// A lookup that has found a record waits so long for a newer one.
const NEWER_WITHIN: Duration = Duration::from_secs(1);

/// A query that somebody waits for, and what it has found.
pub(super) enum Query {
    Find(PeerId, Option<(PeerRecord, Instant)>, oneshot::Sender<Option<PeerRecord>>),
    Closest(oneshot::Sender<Vec<PeerId>>),
    Providers(HashSet<PeerId>, oneshot::Sender<Vec<PeerId>>),
}

impl Driver {
    pub(super) fn find(&mut self, peer: PeerId, answer: oneshot::Sender<Option<PeerRecord>>) {
        let key = kad::RecordKey::new(&PeerRecord::key(&peer));
        let query = self.swarm.behaviour_mut().kad.get_record(key);
        self.queries.insert(query, Query::Find(peer, None, answer));
    }

    pub(super) fn find_closest(&mut self, key: Vec<u8>, answer: oneshot::Sender<Vec<PeerId>>) {
        let query = self.swarm.behaviour_mut().kad.get_closest_peers(key);
        self.queries.insert(query, Query::Closest(answer));
    }

    pub(super) fn find_providers(
        &mut self,
        role: Role,
        chain: ChainId,
        cell: Option<Cell>,
        answer: oneshot::Sender<Vec<PeerId>>,
    ) {
        let key = kad::RecordKey::new(&role_key(role, chain, cell));
        let query = self.swarm.behaviour_mut().kad.get_providers(key);
        self.queries.insert(query, Query::Providers(HashSet::new(), answer));
    }

    pub(super) fn on_kad(&mut self, event: kad::Event) {
        match &event {
            kad::Event::InboundRequest { .. } => self.meter.count("kad", Way::In),
            kad::Event::OutboundQueryProgressed { .. } => self.meter.count("kad", Way::Out),
            _ => {}
        }
        match event {
            kad::Event::RoutingUpdated { old_peer: Some(old), .. } => {
                self.table.remove(&old);
            }
            // A lookup has met a node that answered: it may come into the table where it answered.
            kad::Event::RoutablePeer { peer, address }
            | kad::Event::PendingRoutablePeer { peer, address }
                if self.swarm.is_connected(&peer) =>
            {
                self.add_to_table(peer, address);
            }
            kad::Event::InboundRequest {
                request: kad::InboundRequest::PutRecord { source, record: Some(record), .. },
            } => self.keep_record(&source, record),
            kad::Event::InboundRequest {
                request: kad::InboundRequest::AddProvider { record: Some(record) },
            } => self.keep_provider(record),
            kad::Event::OutboundQueryProgressed { id, result, step, .. } => {
                self.on_progress(id, result, step.last);
            }
            _ => {}
        }
    }

    fn on_progress(&mut self, id: kad::QueryId, result: kad::QueryResult, last: bool) {
        let Some(query) = self.queries.get_mut(&id) else { return };
        match (query, result) {
            (
                Query::Find(peer, found, _),
                kad::QueryResult::GetRecord(Ok(kad::GetRecordOk::FoundRecord(record))),
            ) => {
                let wanted = identity_of(peer).map(|identity| identity.public());
                let opened =
                    PeerRecord::open(&record.record.value, self.config.network, now()).ok();
                let opened = opened.filter(|opened| wanted == Ok(opened.identity.0));
                // The newest that is its own.
                if let Some(opened) = opened {
                    match found {
                        Some((found, _)) if found.issued >= opened.issued => {}
                        Some((found, _)) => *found = opened,
                        None => *found = Some((opened, Instant::now())),
                    }
                }
            }
            (
                Query::Providers(found, _),
                kad::QueryResult::GetProviders(Ok(kad::GetProvidersOk::FoundProviders {
                    providers,
                    ..
                })),
            ) => found.extend(providers),
            (Query::Closest(_), kad::QueryResult::GetClosestPeers(result)) if last => {
                let peers = match result {
                    Ok(found) => found.peers,
                    Err(kad::GetClosestPeersError::Timeout { peers, .. }) => peers,
                };
                if let Some(Query::Closest(answer)) = self.queries.remove(&id) {
                    drop(answer.send(peers.into_iter().map(|found| found.peer_id).collect()));
                }
                return;
            }
            _ => {}
        }
        if !last {
            return;
        }
        match self.queries.remove(&id) {
            Some(Query::Find(_, found, answer)) => {
                drop(answer.send(found.map(|(record, _)| record)));
            }
            Some(Query::Providers(found, answer)) => {
                drop(answer.send(found.into_iter().collect()));
            }
            Some(Query::Closest(answer)) => drop(answer.send(Vec::new())),
            None => {}
        }
    }

    /// A peer that stalls a lookup that has found something holds it up no longer.
    pub(super) fn answer_found(&mut self) {
        let enough = |query: &Query| match query {
            Query::Find(_, Some((_, at)), _) => at.elapsed() >= NEWER_WITHIN,
            _ => false,
        };
        let due: Vec<kad::QueryId> =
            self.queries.iter().filter(|(_, query)| enough(query)).map(|(id, _)| *id).collect();
        for id in due {
            if let Some(mut query) = self.swarm.behaviour_mut().kad.query_mut(&id) {
                query.finish();
            }
            if let Some(Query::Find(_, found, answer)) = self.queries.remove(&id) {
                drop(answer.send(found.map(|(record, _)| record)));
            }
        }
    }
}
