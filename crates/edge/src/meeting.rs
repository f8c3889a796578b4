//! How a node meets others: where it listens, which peers it begins with, and what it says of itself.

use crate::known;
use client::wallet;
use crypto::SigningKey;
use network::ik::Suites;
use overlay::{
    AsnTable, BOOTSTRAP_BYTES_MAX, BootstrapList, Cell, Config, Multiaddr, PeerAddress, Roles, Tor,
    TurnServer,
};
use std::{
    collections::BTreeSet,
    error::Error,
    fs::File,
    io::{self, Read as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};
use types::{ChainId, Hash, Millis};

/// Nodes of a signed list that are dialled.
const LISTED_MAX: usize = 8;
/// Longest table of providers that is read: the internet's takes about 30 MB.
const ASN_BYTES_MAX: u64 = 128 << 20;

/// What an operator decides about meeting others.
#[derive(Clone)]
pub struct Meeting {
    /// Where the node keeps its identity and the peers it knows.
    pub dir: PathBuf,
    /// The network's id.
    pub network: Hash,
    /// The chain whose workers or gateway it is.
    pub chain: ChainId,
    /// The chains whose API it serves to edges.
    pub serves: Vec<ChainId>,
    /// `None`: a worker.
    pub roles: Option<Roles>,
    /// Where others may dial it.
    pub listen: Vec<Multiaddr>,
    /// Where it is reached from outside, if that is another address.
    pub announce: Vec<Multiaddr>,
    /// Nodes to begin with.
    pub join: Vec<PeerAddress>,
    /// A signed list of more of them, and the key that must have signed it.
    pub bootstrap: Option<(PathBuf, Hash)>,
    /// Where it stands, to ten degrees. `None`: nobody is told.
    pub place: Option<Cell>,
    /// Which provider addresses are of.
    pub asn_table: Option<PathBuf>,
    /// Look for peers on the local network, too.
    pub mdns: bool,
    /// Ask the router to pass the port on.
    pub map_port: bool,
    /// How to reach nodes through Tor, if it may.
    pub tor: Option<Tor>,
    /// A TURN server to be reached through, if there is one.
    pub turn: Option<TurnServer>,
    /// Also take connections without ML-KEM.
    pub accept_classic: bool,
}

/// Why a node cannot meet anybody.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotMet {
    #[error(
        "no node to connect to first is named\nhint: add --join ADDRESS, --bootstrap FILE, or --mdns on a local network"
    )]
    Nobody,
    #[error("cannot use {}", path.display())]
    AsnTable { path: PathBuf, source: Box<dyn Error + Send + Sync> },
    #[error("cannot read {}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is not a valid bootstrap list", path.display())]
    List { path: PathBuf, source: overlay::BadBootstrapList },
    #[error(transparent)]
    NoRandomness(#[from] wallet::NoRandomness),
}

impl Meeting {
    /// Whether there is any way to a first node, so that a mistake is told before anything starts.
    ///
    /// # Errors
    /// [`NotMet::Nobody`] if there is no way to the first node; or a list of nodes that does not count.
    pub fn check(&self) -> Result<(), NotMet> {
        if !self.mdns && self.first()?.is_empty() {
            return Err(NotMet::Nobody);
        }
        Ok(())
    }

    /// What the overlay of the node with this key is started with.
    ///
    /// # Errors
    /// [`NotMet`] if a file that is named cannot be used.
    pub fn config(&self, key: SigningKey) -> Result<Config, NotMet> {
        // What a node listens on by name, others reach: a relay has nobody to ask whether that is so.
        let announce = match &self.announce[..] {
            [] => self.listen.iter().filter(|address| is_certain(address)).cloned().collect(),
            named => named.to_vec(),
        };
        let asns = match &self.asn_table {
            Some(path) => {
                asns(path).map_err(|source| NotMet::AsnTable { path: path.clone(), source })?
            }
            None => AsnTable::default(),
        };
        let config = Config::new(key, self.network, self.listen.clone());
        Ok(Config {
            roles: self.roles.unwrap_or(config.roles),
            chain: self.chain,
            serves: self.serves.clone(),
            announce,
            bootstrap: self.first()?,
            asns,
            cell: self.place,
            suites: if self.accept_classic { Suites::AcceptClassic } else { Suites::HybridOnly },
            mdns: self.mdns,
            map_port: self.map_port,
            tor: self.tor.clone(),
            turn: self.turn.clone(),
            ..config
        })
    }

    /// The peers to begin with: those named, those of a signed list, and those known before.
    fn first(&self) -> Result<Vec<PeerAddress>, NotMet> {
        let mut first = self.join.clone();
        if let Some((path, key)) = &self.bootstrap {
            let mut listed = listed(path, self.network, &key.0)?;
            // Not everybody begins with the first of the list.
            let start = somewhere()? % listed.len().max(1);
            listed.rotate_left(start);
            first.extend(listed.into_iter().take(LISTED_MAX));
        }
        first.extend(known::known_peers(&self.dir));
        first.extend(known::registry(&self.dir, somewhere()?));
        let mut seen = BTreeSet::new();
        first.retain(|address| seen.insert(address.to_string()));
        Ok(first)
    }
}

/// Where to begin in a list of a few.
pub(crate) fn somewhere() -> Result<usize, wallet::NoRandomness> {
    let [start] = wallet::random()?;
    Ok(start.into())
}

/// The address of the system, as the overlay names it.
///
/// # Panics
/// Never: an IP address and a port are an address.
#[must_use]
pub fn multiaddr(address: SocketAddr) -> Multiaddr {
    let kind = if address.is_ipv4() { "ip4" } else { "ip6" };
    format!("/{kind}/{}/tcp/{}", address.ip(), address.port())
        .parse()
        .expect("an address of the system is an address")
}

/// Whether an address names one place: an IP address that is not "any", and a port that is not "some".
fn is_certain(address: &Multiaddr) -> bool {
    let text = address.to_string();
    !(text.contains("/0.0.0.0/") || text.contains("/ip6/::/") || text.ends_with("/tcp/0"))
}

fn asns(path: &Path) -> Result<AsnTable, Box<dyn Error + Send + Sync>> {
    Ok(text(path, ASN_BYTES_MAX)?.parse()?)
}

fn listed(path: &Path, network: Hash, key: &[u8; 32]) -> Result<Vec<PeerAddress>, NotMet> {
    let most = u64::try_from(BOOTSTRAP_BYTES_MAX).unwrap_or(u64::MAX) + 1;
    let text =
        text(path, most).map_err(|source| NotMet::Unreadable { path: path.to_owned(), source })?;
    let list = BootstrapList::open(&text, network, key, now())
        .map_err(|source| NotMet::List { path: path.to_owned(), source })?;
    Ok(list.peers().to_vec())
}

/// At most so many bytes of a file.
fn text(path: &Path, bytes_max: u64) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(bytes_max).read_to_string(&mut text)?;
    Ok(text)
}

/// The time of this machine, in milliseconds since 1970.
#[must_use]
pub fn now() -> Millis {
    let since = UNIX_EPOCH.elapsed().unwrap_or_default();
    Millis::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_that_names_one_place_is_announced() {
        let certain = |text: &str| is_certain(&text.parse().unwrap());
        assert!(certain("/ip4/192.0.2.1/tcp/8800"));
        for anywhere in ["/ip4/0.0.0.0/tcp/8800", "/ip6/::/tcp/8800", "/ip4/192.0.2.1/tcp/0"] {
            assert!(!certain(anywhere), "{anywhere}");
        }
        assert!(certain(&multiaddr("[2001:db8::1]:80".parse().unwrap()).to_string()));
    }
}
