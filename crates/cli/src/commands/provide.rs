//! `meshx provide`: earn with this machine.

use super::node::{meeting_of, work_for};
use crate::{network, settings::Settings};
use anyhow::{Result, bail};
use args::{OverlayArgs, Provide};
use client::home;
use edge::PeerAddress;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use types::Hash;

/// Any free port: on the machine of a provider there may be a node at the usual one.
const API: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

pub fn provide(settings: &Settings, args: &Provide) -> Result<()> {
    let (network, join) = joined(settings, args)?;
    let dir = match &args.dir {
        Some(dir) => dir.clone(),
        // The key of a worker has its money on one network only.
        None => home::data()?.join("provide").join(node::short(&network)),
    };
    if !settings.json() {
        println!("folder    {}", dir.display());
    }
    let mut meeting = meeting_of(dir, &args.overlay, network, settings.chain);
    meeting.join = join;
    work_for(settings, &meeting, (&args.edge, API), args.overlay.metrics)
}

/// The network to work for, and where it is joined: as named, or as the current node says.
fn joined(settings: &Settings, args: &Provide) -> Result<(Hash, Vec<PeerAddress>)> {
    let OverlayArgs { join, .. } = &args.overlay;
    if let Some(network) = args.edge.network {
        return Ok((network, join.clone()));
    }
    let current = network::need(settings)?;
    let addresses: Vec<PeerAddress> = match &join[..] {
        // One that cannot be read is of a later version.
        [] => current.status.join.iter().filter_map(|address| address.parse().ok()).collect(),
        named => named.to_vec(),
    };
    if addresses.is_empty() {
        bail!(
            "the node at {} takes no edges\nhint: name a node that does, with --network ID --join ADDRESS; meshx up takes edges unless it has --no-edges",
            current.url
        );
    }
    Ok((current.status.network, addresses))
}
