//! Which protocols a node speaks, and how each is bounded.

use crate::{config::Config, gate::Gate, record::Role, rendezvous};
use libp2p::{
    PeerId, StreamProtocol,
    allow_block_list::{self, BlockedPeers},
    autonat,
    connection_limits::{self, ConnectionLimits},
    dcutr, gossipsub, identify, identity,
    kad::{
        self,
        store::{MemoryStore, MemoryStoreConfig},
    },
    mdns, ping, relay,
    swarm::{NetworkBehaviour, behaviour::toggle::Toggle},
};
use std::time::Duration;

/// Connections of one peer: a direct one beside a relayed one, and one more while they change.
const PER_PEER_MAX: u32 = 4;
/// Handshakes in progress. A neighbourhood has its share of them (gate.rs), and time is short while there are many.
const HANDSHAKES_MAX: u32 = 1_024;
/// Connections in all.
const CONNECTIONS_MAX: u32 = 1_024;
/// Records and providers that a node keeps for others.
pub(crate) const RECORDS_MAX: usize = 4_096;
/// Records and providers count for so long after they came.
pub(crate) const RECORD_LIVES: Duration = Duration::from_secs(2 * 60 * 60);
/// Bytes of a gossip message.
pub(crate) const GOSSIP_BYTES_MAX: usize = 1 << 20;

#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) gate: Gate,
    pub(crate) banned: allow_block_list::Behaviour<BlockedPeers>,
    limits: connection_limits::Behaviour,
    pub(crate) identify: identify::Behaviour,
    ping: ping::Behaviour,
    pub(crate) kad: kad::Behaviour<MemoryStore>,
    pub(crate) gossip: gossipsub::Behaviour,
    relay: Toggle<relay::Behaviour>,
    circuits: relay::client::Behaviour,
    dcutr: Toggle<dcutr::Behaviour>,
    reachable: Toggle<autonat::v2::client::Behaviour>,
    dial_back: Toggle<autonat::v2::server::Behaviour>,
    mdns: Toggle<mdns::tokio::Behaviour>,
    meeting_point: Toggle<libp2p::rendezvous::server::Behaviour>,
    pub(crate) meet: Toggle<libp2p::rendezvous::client::Behaviour>,
    pub(crate) streams: libp2p_stream::Behaviour,
}

impl Behaviour {
    pub(crate) fn new(
        config: &Config,
        pair: identity::Keypair,
        circuits: relay::client::Behaviour,
    ) -> Result<Self, String> {
        let key = pair.public();
        let me = key.to_peer_id();
        let network = hex::encode(&config.network.0[..4]);
        let edge_only = !Role::ALL[1..].iter().any(|role| config.roles.has(*role));
        // A node that hides names no address but the onion's, asks nobody to dial it, and punches no holes towards it.
        let hidden = config.tor.as_ref().is_some_and(|tor| tor.only);
        let identify = identify::Config::new(format!("/meshx/{network}/1"), key)
            .with_agent_version(concat!("meshx/", env!("CARGO_PKG_VERSION")).to_owned())
            .with_push_listen_addr_updates(true)
            .with_hide_listen_addrs(hidden);
        let mdns = match config.mdns {
            true => Some(
                mdns::tokio::Behaviour::new(mdns::Config::default(), me)
                    .map_err(|error| format!("no mDNS: {error}"))?,
            ),
            false => None,
        };
        Ok(Self {
            gate: Gate::new(config.limits),
            banned: allow_block_list::Behaviour::default(),
            limits: connection_limits::Behaviour::new(
                ConnectionLimits::default()
                    .with_max_established(Some(CONNECTIONS_MAX))
                    .with_max_established_per_peer(Some(PER_PEER_MAX))
                    .with_max_pending_incoming(Some(HANDSHAKES_MAX))
                    .with_max_pending_outgoing(Some(256)),
            ),
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::new(ping::Config::new().with_interval(Duration::from_secs(15))),
            kad: table(me, &network, edge_only)?,
            gossip: gossip()?,
            relay: config
                .roles
                .has(Role::Relay)
                .then(|| relay::Behaviour::new(me, relayed()))
                .into(),
            circuits,
            dcutr: (!hidden).then(|| dcutr::Behaviour::new(me)).into(),
            reachable: (!hidden).then(autonat::v2::client::Behaviour::default).into(),
            dial_back: (!edge_only && !hidden).then(autonat::v2::server::Behaviour::default).into(),
            mdns: mdns.into(),
            meeting_point: config.roles.has(Role::Relay).then(rendezvous::point).into(),
            meet: (!hidden).then(|| rendezvous::visitor(pair)).into(),
            streams: libp2p_stream::Behaviour::new(),
        })
    }
}

fn table(
    me: PeerId,
    network: &str,
    edge_only: bool,
) -> Result<kad::Behaviour<MemoryStore>, String> {
    let protocol = StreamProtocol::try_from_owned(format!("/meshx/{network}/kad/1"))
        .map_err(|error| error.to_string())?;
    let mut config = kad::Config::new(protocol);
    config
        // A lookup goes along several ways that share no node, so that one liar cannot lead all of it.
        .disjoint_query_paths(true)
        .set_query_timeout(Duration::from_secs(20))
        .set_periodic_bootstrap_interval(Some(Duration::from_secs(60)))
        // Who comes into the table is decided where addresses are checked (swarm.rs).
        .set_kbucket_inserts(kad::BucketInserts::Manual)
        // What others bring is looked at before it is kept.
        .set_record_filtering(kad::StoreInserts::FilterBoth)
        .set_record_ttl(Some(RECORD_LIVES))
        .set_provider_record_ttl(Some(RECORD_LIVES))
        .set_provider_publication_interval(Some(Duration::from_secs(20 * 60)))
        .set_publication_interval(Some(Duration::from_secs(20 * 60)));
    let store = MemoryStore::with_config(
        me,
        MemoryStoreConfig {
            max_records: RECORDS_MAX,
            max_value_bytes: 2_048,
            max_provided_keys: RECORDS_MAX,
            max_providers_per_key: 64,
        },
    );
    let mut table = kad::Behaviour::with_config(me, store, config);
    // An edge is in nobody's table until others have found that they can reach it.
    table.set_mode((!edge_only).then_some(kad::Mode::Server));
    Ok(table)
}

/// How nodes gossip: nobody signs, a message is known by its content, none has more than 1 MiB, and each goes further
/// only when the listener says so.
///
/// # Errors
/// Never with these settings; the library checks them when it starts.
pub fn gossip() -> Result<gossipsub::Behaviour, String> {
    let config = gossipsub::ConfigBuilder::default()
        .validation_mode(gossipsub::ValidationMode::Anonymous)
        .validate_messages()
        .max_transmit_size(GOSSIP_BYTES_MAX)
        .message_id_fn(|message| {
            gossipsub::MessageId::new(types::Hash::of_content(&message.data).0.as_slice())
        })
        .build()
        .map_err(|error| error.to_string())?;
    gossipsub::Behaviour::new(gossipsub::MessageAuthenticity::Anonymous, config)
        .map_err(str::to_owned)
}

/// Enough for a job's input and output, where the defaults end after 128 KiB and two minutes.
fn relayed() -> relay::Config {
    relay::Config {
        max_reservations: 512,
        max_reservations_per_peer: 4,
        reservation_duration: Duration::from_secs(60 * 60),
        max_circuits: 256,
        max_circuits_per_peer: 16,
        max_circuit_duration: Duration::from_secs(60 * 60),
        max_circuit_bytes: 1 << 30,
        ..relay::Config::default()
    }
}
