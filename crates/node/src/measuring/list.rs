//! The list of a period: who may witness, where each is reached, and what is measured between them.

use super::NotMeasured;
use api::{MeasuredView, PeriodView, WitnessView};
use client::{wallet, write_whole};
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
use types::{
    Address, Hash, Place, PublicKey,
    presence::{WITNESSES_GENESIS_MAX, WitnessEntry},
};

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
    /// What the measured network calls the node that it was dealt for, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// What a measured network calls the node that a witness was dealt for, if it was.
struct Called {
    id: Option<String>,
    name: Option<String>,
}

/// A node of a measured network, for which a witness is dealt.
#[derive(Clone, Debug)]
pub struct Dealt {
    /// Its id in nodes.csv.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// Where it stands.
    pub place: Place,
}

/// Where witnesses are met, by key.
pub type Met = BTreeMap<PublicKey, SocketAddr>;

/// The witnesses of one period, and all that claims of it are made and judged by.
pub struct List {
    seed: Hash,
    /// The period's number.
    pub period: u64,
    /// The rule that claims are judged by.
    pub params: PresenceParams,
    /// In the order that certificates number them by.
    pub witnesses: Vec<Witness>,
    /// Where each witness is met, in the same order; `None` if nobody knows.
    pub addresses: Vec<Option<SocketAddr>>,
    /// Round-trip times between witnesses, which claims are compared with.
    pub reference: Reference,
    /// Id and name of each in the measured network that the list was dealt for.
    called: Vec<Called>,
}

impl List {
    /// Read a list as [`write()`] or [`deal`] has written it: at most 256 MiB.
    ///
    /// # Errors
    /// [`NotMeasured`] if the file is none of a list.
    pub fn read(path: &Path) -> Result<Self, NotMeasured> {
        let unreadable = |source| NotMeasured::Unreadable { path: path.to_owned(), source };
        let mut text = String::new();
        let file = fs::File::open(path).map_err(unreadable)?;
        file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(NotMeasured::TooLong(path.to_owned()));
        }
        let no_list = |source| NotMeasured::NoList { path: path.to_owned(), source };
        Self::of(serde_json::from_str(&text).map_err(no_list)?)
    }

    /// Its witnesses as a genesis names them, by key. `path` is where it was read.
    ///
    /// # Errors
    /// If a network cannot begin with so many.
    pub fn entries(&self, path: &Path) -> Result<Vec<WitnessEntry>, NotMeasured> {
        let (count, max) = (self.witnesses.len(), WITNESSES_GENESIS_MAX);
        if count > max {
            return Err(NotMeasured::TooManyToBegin { path: path.to_owned(), count, max });
        }
        let entry = |witness: &Witness| WitnessEntry {
            key: witness.key,
            place: witness.place,
            operator: witness.operator,
            network: witness.network,
        };
        let mut entries: Vec<_> = self.witnesses.iter().map(entry).collect();
        entries.sort_unstable_by_key(|entry| entry.key);
        Ok(entries)
    }

    /// What a chain knows, and of the witnesses who do not say where they are met, what `met` knows.
    ///
    /// # Errors
    /// [`NotMeasured::NoSeed`] in the first moments of a period.
    pub fn of_chain(view: PeriodView, met: &Met) -> Result<Self, NotMeasured> {
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

    fn of(file: ListFile) -> Result<Self, NotMeasured> {
        let count = file.witnesses.len();
        if count > WITNESSES_MAX {
            return Err(NotMeasured::TooMany { count, max: WITNESSES_MAX });
        }
        if let Some(&(a, b, _)) = file.rtt_us.iter().find(|(a, b, _)| *a >= count || *b >= count) {
            return Err(NotMeasured::Pair { a, b, count });
        }
        let directions =
            file.witnesses.iter().map(|listed| Direction::of_place(listed.place)).collect();
        let called = |listed: &Listed| Called { id: listed.id.clone(), name: listed.name.clone() };
        let called = file.witnesses.iter().map(called).collect();
        Ok(Self {
            called,
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

    /// The number of the witness that is called so: by its id, then by its name, as in nodes.csv. In a list that calls
    /// nobody anything, by its number.
    ///
    /// # Errors
    /// [`NotMeasured::NoWitness`].
    pub fn find(&self, called: &str) -> Result<usize, NotMeasured> {
        let named = self.called.iter().any(|one| one.id.is_some());
        let place = |is_it: &dyn Fn(&Called) -> bool| self.called.iter().position(is_it);
        let found = if named {
            place(&|one| one.id.as_deref() == Some(called))
                .or_else(|| place(&|one| one.name.as_deref() == Some(called)))
        } else {
            called.parse().ok().filter(|number| *number < self.witnesses.len())
        };
        found.ok_or_else(|| NotMeasured::NoWitness(called.to_owned()))
    }

    /// What a draw and a judgement read of this list.
    pub fn tables(&self) -> Tables<'_> {
        Tables {
            seed: self.seed,
            period: self.period,
            witnesses: &self.witnesses,
            reference: &self.reference,
        }
    }
}

/// Deal a witness for each of `nodes`, all on this machine, of which `rtt_us` says what was measured between two. Returns how
/// many there are; keys and list are in `dir` then.
///
/// # Errors
/// [`NotMeasured`] if `dir` cannot be written.
///
/// # Panics
/// Never: plain data is JSON.
pub fn deal(
    nodes: &[Dealt],
    rtt_us: impl Fn(usize, usize) -> Option<u32>,
    dir: &Path,
    port: u16,
) -> Result<usize, NotMeasured> {
    let keys = dir.join("keys");
    let not_made = |source| NotMeasured::NotMade { path: keys.clone(), source };
    fs::create_dir_all(&keys).map_err(not_made)?;
    let mut witnesses = Vec::new();
    for (index, Dealt { id, name, place }) in (0_u32..).zip(nodes) {
        let key = new_key(&keys.join(format!("{index}.key")))?;
        let key = PublicKey(key.public());
        let [_, _, high, low] = index.to_be_bytes();
        witnesses.push(Listed {
            key,
            place: *place,
            operator: Address::of(&key),
            network: index,
            // Each has an address of its own, by which a simulated wire knows it.
            reached_at: Some((IpAddr::V4(Ipv4Addr::new(127, 1, high, low)), port).into()),
            id: Some(id.clone()),
            name: Some(name.clone()),
        });
    }
    let count = witnesses.len();
    let rtt_us = (0..count)
        .flat_map(|a| (0..a).map(move |b| (a, b)))
        .filter_map(|(a, b)| Some((a, b, rtt_us(a, b)?)))
        .collect();
    let seed = Hash(wallet::random()?);
    let file = ListFile { seed, period: 1, params: None, witnesses, rtt_us };
    let text = serde_json::to_string(&file).expect("plain data is JSON");
    write_whole(&dir.join(DEALT), text.as_bytes(), false)?;
    Ok(count)
}

/// The name of a list that was dealt.
pub const DEALT: &str = "list.json";

/// Where witnesses listen, beside the node that they announce.
const PORT: u16 = 8_790;

/// Write what a chain knows; returns how many of its witnesses say where they are met.
///
/// # Errors
/// [`NotMeasured::NoSeed`] in the first moments of a period; or if `path` cannot be written.
///
/// # Panics
/// Never: plain data is JSON.
pub fn write(view: PeriodView, path: &Path) -> Result<usize, NotMeasured> {
    let file = file_of(view)?;
    let text = serde_json::to_string(&file).expect("plain data is JSON");
    write_whole(path, text.as_bytes(), false)?;
    Ok(file.witnesses.iter().filter(|witness| witness.reached_at.is_some()).count())
}

fn file_of(view: PeriodView) -> Result<ListFile, NotMeasured> {
    if view.period.seed == Hash::ZERO {
        return Err(NotMeasured::NoSeed(view.period.number));
    }
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
            id: None,
            name: None,
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
///
/// # Errors
/// [`NotMeasured::NoKey`].
pub fn key(path: &Path) -> Result<SigningKey, NotMeasured> {
    let text = fs::read_to_string(path)
        .map_err(|source| NotMeasured::Unreadable { path: path.to_owned(), source })?;
    let seed: Option<Hash> = text.trim().parse().ok();
    let seed = seed.ok_or_else(|| NotMeasured::NoKey(path.to_owned()))?;
    Ok(SigningKey::from_seed(&seed.0))
}

/// Make a key, and keep it in `path`.
///
/// # Errors
/// If `path` cannot be written.
pub fn new_key(path: &Path) -> Result<SigningKey, NotMeasured> {
    let seed = wallet::random()?;
    write_whole(path, hex::encode(seed).as_bytes(), true)?;
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
