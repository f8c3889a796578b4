//! The list of a period: who may witness, where each is reached, and what is measured between them.

use crate::home;
use anyhow::{Context as _, Result, bail, ensure};
use api::{MeasuredView, PeriodView, WitnessView};
use crypto::SigningKey;
use overlay::PeerAddress;
use presence::{Direction, PresenceParams, Reference, Tables, Witness};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
};
use types::{Address, Hash, Place, PublicKey};

const FILE_BYTES_MAX: u64 = 256 << 20;
/// Pairs are kept in a table.
const WITNESSES_MAX: usize = 4_000;

/// As it stands in the file.
#[derive(Serialize, Deserialize)]
struct ListFile {
    seed: Hash,
    period: u64,
    /// The rules of the network whose list it is; none: the usual ones.
    #[serde(default)]
    params: Option<PresenceParams>,
    witnesses: Vec<Listed>,
    /// Two witnesses by their places in the list, and microseconds.
    rtt_us: Vec<(usize, usize, u32)>,
}

#[derive(Serialize, Deserialize)]
struct Listed {
    key: PublicKey,
    place: Place,
    operator: Address,
    network: u32,
    /// None: nobody knows, and it says nothing.
    reached_at: Option<SocketAddr>,
}

/// Where witnesses are met, by key.
pub type Met = BTreeMap<PublicKey, SocketAddr>;

pub struct List {
    seed: Hash,
    pub period: u64,
    pub params: PresenceParams,
    pub witnesses: Vec<Witness>,
    pub addresses: Vec<Option<SocketAddr>>,
    pub reference: Reference,
}

impl List {
    pub fn read(path: &Path) -> Result<Self> {
        let mut text = String::new();
        let file =
            fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
        ensure!(text.len() as u64 <= FILE_BYTES_MAX, "{} is too long", path.display());
        let file: ListFile = serde_json::from_str(&text).with_context(|| {
            format!(
                "{} is no list of witnesses\nhint: meshx presence deal makes one",
                path.display()
            )
        })?;
        Self::of(file)
    }

    /// What a chain knows, and of the witnesses who do not say where they are met, what `met` knows.
    pub fn of_chain(view: PeriodView, met: &Met) -> Result<Self> {
        let mut list = Self::of(file_of(view)?)?;
        for (address, witness) in list.addresses.iter_mut().zip(&list.witnesses) {
            *address = address.or_else(|| met.get(&witness.key).copied());
        }
        Ok(list)
    }

    /// Where its witnesses are met, by key.
    pub fn met(&self) -> Met {
        let of =
            |(witness, address): (&Witness, &Option<SocketAddr>)| Some((witness.key, (*address)?));
        self.witnesses.iter().zip(&self.addresses).filter_map(of).collect()
    }

    /// What tells this list from that of any other period.
    pub fn seed(&self) -> (u64, Hash) {
        (self.period, self.seed)
    }

    fn of(file: ListFile) -> Result<Self> {
        let count = file.witnesses.len();
        ensure!(count <= WITNESSES_MAX, "{count} witnesses are more than {WITNESSES_MAX}");
        if let Some((a, b, _)) = file.rtt_us.iter().find(|(a, b, _)| *a >= count || *b >= count) {
            bail!("rtt_us has the pair {a}, {b}, and there are {count} witnesses");
        }
        let directions =
            file.witnesses.iter().map(|listed| Direction::of_place(listed.place)).collect();
        Ok(Self {
            seed: file.seed,
            period: file.period,
            params: file.params.unwrap_or(PresenceParams::DEFAULT),
            addresses: file.witnesses.iter().map(|listed| listed.reached_at).collect(),
            witnesses: file
                .witnesses
                .into_iter()
                .map(|Listed { key, place, operator, network, .. }| Witness {
                    key,
                    place,
                    operator,
                    network,
                })
                .collect(),
            reference: Reference::new(directions, file.rtt_us),
        })
    }

    pub fn tables(&self) -> Tables<'_> {
        Tables {
            seed: self.seed,
            period: self.period,
            witnesses: &self.witnesses,
            reference: &self.reference,
        }
    }
}

/// A witness for each node of a measured network, all on this machine.
pub fn deal(network: &Path, dir: &Path, port: u16) -> Result<()> {
    let network = survey::Network::read(network).with_context(|| {
        format!(
            "{} is no measured network\nhint: it needs nodes.csv (id,name,lat,lon,continent) and rtt.csv (src,dst,rtt_ms)",
            network.display()
        )
    })?;
    let keys = dir.join("keys");
    fs::create_dir_all(&keys).with_context(|| format!("cannot make {}", keys.display()))?;
    let mut witnesses = Vec::new();
    for (index, node) in (0_u32..).zip(&network.nodes) {
        let key = new_key(&keys.join(format!("{index}.key")))?;
        let key = PublicKey(key.public());
        let [_, _, high, low] = index.to_be_bytes();
        witnesses.push(Listed {
            key,
            place: node.place,
            operator: Address::of(&key),
            network: index,
            // Each has an address of its own, by which a simulated wire knows it.
            reached_at: Some((IpAddr::V4(Ipv4Addr::new(127, 1, high, low)), port).into()),
        });
    }
    let count = witnesses.len();
    let rtt_us = (0..count)
        .flat_map(|a| (0..a).map(move |b| (a, b)))
        .filter_map(|(a, b)| Some((a, b, network.rtt_us(a, b)?)))
        .collect();
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("no randomness")?;
    let file = ListFile { seed: Hash(seed), period: 1, params: None, witnesses, rtt_us };
    let path = dir.join("list.json");
    home::write_whole(&path, serde_json::to_string(&file)?.as_bytes(), false)?;
    eprintln!("dealt {count} witnesses on 127.1.0.0/16, for trying things out: {}", path.display());
    Ok(())
}

/// Where witnesses listen, beside the node that they announce.
pub const PORT: u16 = 8_790;

/// Write what a chain knows; returns how many of its witnesses say where they are met.
pub fn write(view: PeriodView, path: &Path) -> Result<usize> {
    let file = file_of(view)?;
    home::write_whole(path, serde_json::to_string(&file)?.as_bytes(), false)?;
    Ok(file.witnesses.iter().filter(|witness| witness.reached_at.is_some()).count())
}

fn file_of(view: PeriodView) -> Result<ListFile> {
    ensure!(
        view.period.seed != Hash::ZERO,
        "the seed of period {} is not known yet\nhint: try again in a few seconds",
        view.period.number
    );
    let pairs = |(place, witness): (usize, &WitnessView)| -> Vec<(usize, usize, u32)> {
        let pair = |m: &MeasuredView| (place, usize::from(m.witness), m.rtt_us);
        witness.measured.iter().map(pair).collect()
    };
    let rtt_us = view.witnesses.iter().enumerate().flat_map(pairs).collect();
    let witnesses: Vec<Listed> = view
        .witnesses
        .into_iter()
        .map(|witness| Listed {
            key: witness.key,
            place: witness.place,
            operator: witness.operator,
            network: witness.network,
            reached_at: witness.peers.iter().find_map(|peer| met_at(peer)),
        })
        .collect();
    Ok(ListFile {
        seed: view.period.seed,
        period: view.period.number,
        params: Some(view.params),
        witnesses,
        rtt_us,
    })
}

/// The witness beside a node that is met at `/ip4/192.0.2.1/tcp/8704/p2p/…`.
fn met_at(peer: &str) -> Option<SocketAddr> {
    Some(SocketAddr::new(peer.parse::<PeerAddress>().ok()?.host()?, PORT))
}

/// Read a key, 64 hex digits of a seed.
pub fn key(path: &Path) -> Result<SigningKey> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let seed: Hash = text.trim().parse().ok().with_context(|| {
        format!("{} holds no key\nhint: a key is 64 hex digits", path.display())
    })?;
    Ok(SigningKey::from_seed(&seed.0))
}

pub fn new_key(path: &Path) -> Result<SigningKey> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("no randomness")?;
    home::write_whole(path, hex::encode(seed).as_bytes(), true)?;
    Ok(SigningKey::from_seed(&seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_is_met_beside_its_operators_node() {
        const NODE: &str = "12D3KooWCbzFJ8C5g8tv5C9zGvLiSya1acm2rNEt6kEXZpZPFLNq";
        let met = |peer: &str| met_at(peer).map(|address| address.to_string());
        let named = |place: &str| format!("{place}/p2p/{NODE}");
        let at = |place: &str| met(&named(place));
        assert_eq!(at("/ip4/192.0.2.1/tcp/8704").as_deref(), Some("192.0.2.1:8790"));
        assert_eq!(at("/ip6/2001:db8::1/tcp/1").as_deref(), Some("[2001:db8::1]:8790"));
        for nowhere in ["", "/dns4/a.example/tcp/1", "/ip4/2001:db8::1/tcp/1", "/ip6/192.0.2.1"] {
            assert_eq!(at(nowhere), None, "{nowhere}");
        }
        assert_eq!(met("/ip4/192.0.2.1/tcp/8704"), None, "nobody is expected there");
    }
}
