//! A claim to stand somewhere, measured by the witnesses of a list over Noise IK and UDP.

use super::{HANDSHAKE, LOOK, List, NAMESPACE, NotMeasured, operator, wire};
use api::Client;
use crypto::{SigningKey, VrfKey, VrfSuite};
use measure::{Draw, ProveSettings, Proved, Request, Why};
use network::ik::{Identity, PeerIdentity, Stream, Suites};
use presence::{Verdict, land};
use std::{
    collections::BTreeMap,
    fs, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    thread,
    time::Duration,
};
use tokio::{
    net::{TcpStream, UdpSocket},
    time::timeout,
};
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt as _, TokioAsyncReadCompatExt as _};
use types::{
    ChainId, Hash, Place, PublicKey,
    codec::DecodeExt as _,
    presence::{Claim, PRESENCE_CERTIFICATE_BYTES_MAX, PresenceCertificate, PresenceRecord},
};

/// How often one claim is measured anew if witnesses refuse it: they hear of a period a moment after it began.
const ATTEMPTS: u8 = 3;

type Channel = Compat<Stream<Compat<TcpStream>>>;

/// What is claimed, and how it is measured.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Where this node stands.
    pub place: Place,
    /// `None`: the place's own.
    pub continent: Option<ChainId>,
    /// The attestation that binds the key to a machine. `None`: that of the key's validator on the backbone.
    pub attestation: Option<Hash>,
    /// Where challenges are answered.
    pub listen: SocketAddr,
    /// Simulated: delay answers as if this node stood where a witness of the list does, by its id or name.
    pub simulate_from: Option<String>,
}

/// The node that claims.
pub struct Prover<'a> {
    /// Where the node says it is.
    pub claimed: Claimed,
    /// The key that is measured.
    pub key: SigningKey,
    /// Whose witnesses measure; with a chain, only where those are met who have not announced it.
    pub file: Option<List>,
    /// A node of the network to read the period from; `None`: only `file` counts.
    pub client: Option<Client>,
    /// Hears how far it is.
    pub say: &'a dyn Fn(&str),
}

impl Prover<'_> {
    /// The period's list, as the chain has it now.
    ///
    /// # Errors
    /// [`NotMeasured::Node`] if the node does not answer.
    ///
    /// # Panics
    /// If no node is named.
    pub fn list(&self) -> Result<List, NotMeasured> {
        let met = self.file.as_ref().map(List::met).unwrap_or_default();
        let client = self.client.as_ref().expect("named where the chain is asked for anything");
        List::of_chain(client.period()?, &met)
    }

    /// Claim in each period anew, until the process is ended: `claim` proves by the chain's list and says whether that is all
    /// for this period.
    pub fn follow<E: From<NotMeasured> + std::fmt::Display>(
        &self,
        claim: impl Fn() -> Result<bool, E>,
    ) -> ! {
        let (mut known, mut tries, mut told) = (None, 0, String::new());
        loop {
            let said = self.list().map_err(E::from).and_then(|list| {
                if known != Some(list.seed()) {
                    (known, tries) = (Some(list.seed()), 0);
                }
                if tries == ATTEMPTS || self.is_done(&list)? {
                    return Ok(());
                }
                tries += 1;
                if claim()? {
                    tries = ATTEMPTS;
                }
                Ok(())
            });
            // What goes on is said once.
            let failed = said.err().map(|error| format!("{error:#}")).unwrap_or_default();
            if failed != told && !failed.is_empty() {
                (self.say)(&format!("not proved: {failed}"));
            }
            told = failed;
            thread::sleep(LOOK);
        }
    }

    /// Whether the chain has certified this claim's key in the period already.
    fn is_done(&self, list: &List) -> Result<bool, NotMeasured> {
        let Some(client) = &self.client else { return Ok(false) };
        let Some(operator) = operator(client, &self.public())? else { return Ok(false) };
        let view = client.presence(operator)?;
        let now = |record: &PresenceRecord| record.period == list.period;
        Ok(view.certified && view.record.as_ref().is_some_and(now))
    }

    /// Measured by the chain's list of now; once more if witnesses do not know the period yet.
    ///
    /// # Errors
    /// [`NotMeasured`].
    pub fn by_chain(&self) -> Result<(List, Proved), NotMeasured> {
        let mut attempt = 1;
        loop {
            let list = self.list()?;
            let proved = self.once(&list);
            let refused = |proved: &Proved| {
                proved.silent.iter().filter(|(_, why)| matches!(why, Why::Refused(_))).count()
            };
            let behind = proved.as_ref().map_or(list.witnesses.len(), refused);
            if behind == 0 || attempt == ATTEMPTS {
                return Ok((list, proved?));
            }
            attempt += 1;
            (self.say)(&format!("{behind} witnesses refused; asking again"));
            thread::sleep(LOOK);
        }
    }

    fn public(&self) -> PublicKey {
        PublicKey(self.key.public())
    }

    /// What the chain knows of a validator is what its claim has to name.
    fn attestation(&self) -> Result<Hash, NotMeasured> {
        let asked = self.claimed.attestation;
        let Some(client) = self.client.as_ref().filter(|_| asked.is_none()) else {
            return Ok(asked.unwrap_or(Hash::ZERO));
        };
        match operator(client, &self.public())? {
            Some(operator) => Ok(client.presence(operator)?.attestation),
            None => Ok(Hash::ZERO),
        }
    }

    /// The continent that is claimed.
    fn continent(&self, list: &List) -> Result<ChainId, NotMeasured> {
        let (place, km) = (self.claimed.place, u32::from(list.params.border_km));
        let near = || land::continents_near(place, km).first().map(|(continent, ..)| *continent);
        self.claimed.continent.or_else(near).ok_or(NotMeasured::NoLand { place, km })
    }

    /// Claim, and be measured by the witnesses that are drawn from `list`.
    ///
    /// # Errors
    /// [`NotMeasured`].
    ///
    /// # Panics
    /// Never: a proof has the length of a proof.
    pub fn once(&self, list: &List) -> Result<Proved, NotMeasured> {
        let Self { claimed, key, .. } = self;
        let (place, continent) = (claimed.place, self.continent(list)?);
        let vrf = VrfKey::beside(key);
        let claim = Claim {
            prover: self.public(),
            place,
            continent,
            attestation: self.attestation()?,
            vrf_key: Hash(vrf.public()),
            period: list.period,
        };
        let alpha = presence::alpha(&list.tables().seed, &claim);
        let proof = vrf.prove(VrfSuite::Ell2, &alpha.0).to_bytes();
        let draw = Draw::new(proof.to_vec()).expect("a proof has 80 bytes");
        let committee = measure::committee(&claim, &draw, &list.params, &list.tables())?;
        let witness = |index: u16| (index, list.witnesses[usize::from(index)].key);
        let witnesses: Vec<(u16, PublicKey)> = committee.into_iter().map(witness).collect();
        (self.say)(&format!("claiming {place}, {continent}, before {} witnesses", witnesses.len()));
        if let Some(node) = &claimed.simulate_from {
            (self.say)(&format!(
                "simulated: answers come as from witness {node}, by what was measured to it"
            ));
        }
        let runtime = tokio::runtime::Runtime::new()?;
        let wire = self.file.as_ref().unwrap_or(list);
        let proved = runtime.block_on(measured((list, wire), claimed, key, claim, draw, witnesses));
        // The certificate is there: channels that still hang must not hold it up.
        runtime.shutdown_background();
        proved
    }
}

/// `wire` is whose table says how long a simulated way is.
async fn measured(
    (list, wire): (&List, &List),
    claimed: &Claimed,
    key: &SigningKey,
    claim: Claim,
    draw: Draw,
    witnesses: Vec<(u16, PublicKey)>,
) -> Result<Proved, NotMeasured> {
    let address = claimed.listen;
    let bound = UdpSocket::bind(address).await;
    let socket = bound.map_err(|source| NotMeasured::Listen { address, source })?;
    let own = socket.local_addr()?;
    let reached_at = match &claimed.simulate_from {
        None => (!own.ip().is_unspecified()).then_some(own),
        Some(called) => {
            let node = wire.find(called)?;
            let to = SocketAddr::from((Ipv4Addr::LOCALHOST, own.port()));
            Some(wire::before(to, ways(wire, node)).await?)
        }
    };
    let me = Identity::new(key);
    let connect = |witness: u16, key: PublicKey| {
        let (me, address) = (me.clone(), list.addresses[usize::from(witness)]);
        async move {
            let address = address.ok_or_else(|| io::Error::other("nobody says where it is met"))?;
            timeout(HANDSHAKE, dial(me, address, key)).await?
        }
    };
    let request = Request { claim, draw, witnesses, reached_at };
    Ok(measure::prove(request, key, socket, connect, &ProveSettings::DEFAULT).await?)
}

/// By a witness's address, half of what was measured between it and `node`; where nothing was, of 20 µs a kilometre.
fn ways(list: &List, node: usize) -> BTreeMap<IpAddr, Duration> {
    let directions = list.reference.directions();
    let way = |(witness, address): (usize, &Option<SocketAddr>)| {
        let address = (*address)?;
        let us = list.reference.rtt_us(node, witness);
        let us = us.unwrap_or_else(|| 500 + 20 * directions[node].km(&directions[witness]));
        Some((address.ip(), Duration::from_micros(u64::from(us).div_ceil(2))))
    };
    list.addresses.iter().enumerate().filter_map(way).collect()
}

async fn dial(me: Identity, address: SocketAddr, key: PublicKey) -> io::Result<Channel> {
    let peer = PeerIdentity::new(key.0).map_err(io::Error::other)?;
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let stream = Stream::initiate(socket.compat(), &me, Suites::default(), NAMESPACE, peer).await?;
    Ok(stream.compat())
}

/// What `certificate` is worth by a list.
///
/// # Errors
/// [`NotMeasured::Rejected`] if it is not one of that list's witnesses.
pub fn judge(certificate: &PresenceCertificate, list: &List) -> Result<Verdict, NotMeasured> {
    presence::verify(certificate, &list.params, &list.tables()).map_err(NotMeasured::Rejected)
}

/// Read a certificate.
///
/// # Errors
/// [`NotMeasured`] if the file holds none.
pub fn read_certificate(path: &Path) -> Result<PresenceCertificate, NotMeasured> {
    let owned = || path.to_owned();
    let read = fs::read(path);
    let bytes = read.map_err(|source| NotMeasured::Unreadable { path: owned(), source })?;
    let length = bytes.len();
    if length > PRESENCE_CERTIFICATE_BYTES_MAX {
        return Err(NotMeasured::Length { path: owned(), length });
    }
    let decoded = PresenceCertificate::decode(bytes);
    decoded.map_err(|source| NotMeasured::NoCertificate { path: owned(), source })
}
