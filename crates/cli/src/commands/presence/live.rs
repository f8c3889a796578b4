//! `meshx presence prove | verify`: have a claim measured by the witnesses of a list, over Noise IK and UDP.

use super::{
    attend::LOOK,
    chain,
    list::{self, List},
    wire,
};
use crate::{args::PresenceProve, home, settings::Settings, submit};
use anyhow::{Context as _, Result, ensure};
use api::Client;
use crypto::{Role, SigningKey, VrfKey, VrfSuite};
use measure::{Draw, ProveSettings, Proved, Request, Why};
use network::{
    ik::{Identity, PeerIdentity, Stream, Suites},
    private_key, signing_key,
};
use presence::{Tier, Verdict, Weakness, land};
use std::{
    collections::BTreeMap,
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::ExitCode,
    thread,
    time::Duration,
};
use tokio::{
    net::{TcpStream, UdpSocket},
    time::timeout,
};
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt as _, TokioAsyncReadCompatExt as _};
use types::{
    Hash, PublicKey,
    codec::{DecodeExt as _, Encode as _},
    presence::{Claim, PRESENCE_CERTIFICATE_BYTES_MAX, PresenceCertificate},
};

/// Keeps these channels apart from others of the same keys.
pub const NAMESPACE: &[u8] = b"meshx/presence/1";
pub const HANDSHAKE: Duration = Duration::from_secs(10);
/// How often one claim is measured anew if witnesses refuse it: they hear of a period a moment after it began.
const ATTEMPTS: u8 = 3;

type Channel = Compat<Stream<Compat<TcpStream>>>;

pub fn prove(settings: &Settings, asked: &PresenceProve) -> Result<ExitCode> {
    let mut settings = settings.clone();
    let of_node = asked.dir.as_deref().map(node::read_node).transpose()?;
    if let Some((files, _)) = &of_node {
        settings.node.get_or_insert_with(|| format!("http://{}", files.api));
    }
    let file = asked.list.as_deref().map(List::read).transpose()?;
    let by_chain = asked.submit || asked.follow || file.is_none();
    let key = match (&of_node, &asked.key) {
        (Some((_, secrets)), _) => signing_key(&private_key(&secrets.node_key)),
        (None, Some(file)) if file.exists() => list::key(file)?,
        (None, Some(file)) => list::new_key(file)?,
        (None, None) => {
            submit::keys(&settings, &submit::client(&settings)?)?.key(Role::Consensus, 0)
        }
    };
    let needs_chain = by_chain || asked.key.is_none();
    let client = if needs_chain { Some(submit::client(&settings)?) } else { None };
    let prover = Prover { settings: &settings, asked, key, file, client };
    match (asked.follow, by_chain) {
        (true, _) => prover.follow(),
        (false, true) => prover.by_chain(),
        (false, false) => {
            let list = prover.file.as_ref().expect("read above");
            let proved = prover.once(list)?;
            prover.keep(&proved, list)
        }
    }
}

/// Whoever claims.
struct Prover<'a> {
    settings: &'a Settings,
    asked: &'a PresenceProve,
    key: SigningKey,
    file: Option<List>,
    client: Option<Client>,
}

impl Prover<'_> {
    fn client(&self) -> &Client {
        self.client.as_ref().expect("made where the chain is asked for anything")
    }

    /// The period's list, as the chain has it now.
    fn list(&self) -> Result<List> {
        let met = self.file.as_ref().map(List::met).unwrap_or_default();
        List::of_chain(self.client().period()?, &met)
    }

    /// In each period anew, until the process is ended.
    fn follow(&self) -> Result<ExitCode> {
        let (mut known, mut tries, mut told) = (None, 0, String::new());
        eprintln!("ready: {} in each period anew", self.asked.place);
        loop {
            let said = self.list().and_then(|list| {
                if known != Some(list.seed()) {
                    (known, tries) = (Some(list.seed()), 0);
                }
                if tries == ATTEMPTS || self.is_done(&list)? {
                    return Ok(());
                }
                tries += 1;
                self.by_chain()?;
                if !self.asked.submit {
                    tries = ATTEMPTS;
                }
                Ok(())
            });
            // What goes on is said once.
            let failed = said.err().map(|error| format!("{error:#}")).unwrap_or_default();
            if failed != told && !failed.is_empty() {
                eprintln!("not proved: {failed}");
            }
            told = failed;
            thread::sleep(LOOK);
        }
    }

    /// Whether the chain has certified this claim's key in the period already.
    fn is_done(&self, list: &List) -> Result<bool> {
        let Some(operator) = chain::operator(self.client(), &self.public())? else {
            return Ok(false);
        };
        let view = self.client().presence(operator)?;
        let now = |record: &types::presence::PresenceRecord| record.period == list.period;
        Ok(view.certified && view.record.as_ref().is_some_and(now))
    }

    /// By the chain's list of now, and sent if that is asked for.
    fn by_chain(&self) -> Result<ExitCode> {
        let mut attempt = 1;
        let (list, proved) = loop {
            let list = self.list()?;
            let proved = self.once(&list);
            let behind = match &proved {
                Ok(proved) => {
                    proved.silent.iter().filter(|(_, why)| matches!(why, Why::Refused(_))).count()
                }
                Err(_) => list.witnesses.len(),
            };
            if behind == 0 || attempt == ATTEMPTS {
                break (list, proved?);
            }
            attempt += 1;
            eprintln!("{behind} witnesses refused; asking again");
            thread::sleep(LOOK);
        };
        let code = self.keep(&proved, &list)?;
        let verdict = presence::verify(&proved.certificate, &list.params, &list.tables())?;
        if self.asked.submit && verdict.tier != Tier::Unproven {
            chain::send(self.settings, self.client(), proved.certificate)?;
        }
        Ok(code)
    }

    fn public(&self) -> PublicKey {
        PublicKey(self.key.public())
    }

    /// What the chain knows of a validator is what its claim has to name.
    fn attestation(&self) -> Result<Hash> {
        let Some(client) = self.client.as_ref().filter(|_| self.asked.attestation.is_none()) else {
            return Ok(self.asked.attestation.unwrap_or(Hash::ZERO));
        };
        match chain::operator(client, &self.public())? {
            Some(operator) => Ok(client.presence(operator)?.attestation),
            None => Ok(Hash::ZERO),
        }
    }

    /// Claim, and be measured.
    fn once(&self, list: &List) -> Result<Proved> {
        let Self { asked, key, .. } = self;
        let continent = match asked.continent {
            Some(continent) => continent,
            None => {
                let km = u32::from(list.params.border_km);
                let near = land::continents_near(asked.place, km);
                let first = near.first().with_context(|| {
                    format!(
                        "{} has no land within {km} km\nhint: --place is LATITUDE,LONGITUDE",
                        asked.place
                    )
                })?;
                first.0
            }
        };
        let vrf = VrfKey::beside(key);
        let claim = Claim {
            prover: self.public(),
            place: asked.place,
            continent,
            attestation: self.attestation()?,
            vrf_key: Hash(vrf.public()),
            period: list.period,
        };
        let alpha = presence::alpha(&list.tables().seed, &claim);
        let proof = vrf.prove(VrfSuite::Ell2, &alpha.0).to_bytes();
        let draw = Draw::new(proof.to_vec()).expect("a proof has 80 bytes");
        let committee = measure::committee(&claim, &draw, &list.params, &list.tables())?;
        let witnesses: Vec<(u16, PublicKey)> = committee
            .into_iter()
            .map(|index| (index, list.witnesses[usize::from(index)].key))
            .collect();
        eprintln!("claiming {}, {continent}, before {} witnesses", asked.place, witnesses.len());
        let runtime = tokio::runtime::Runtime::new()?;
        let wire = self.file.as_ref().unwrap_or(list);
        let proved = runtime.block_on(measured((list, wire), asked, key, claim, draw, witnesses));
        runtime.shutdown_background();
        proved
    }

    /// Write the certificate down, and say what it is worth.
    fn keep(&self, proved: &Proved, list: &List) -> Result<ExitCode> {
        let out = &self.asked.out;
        home::write_whole(out, &proved.certificate.encode(), false)?;
        eprintln!("certificate {}", out.display());
        for (witness, why) in proved.silent.iter().take(5) {
            eprintln!("  silent: witness {witness}: {why}");
        }
        if proved.silent.len() > 5 {
            eprintln!("  and {} more", proved.silent.len() - 5);
        }
        judged(self.settings, &proved.certificate, list)
    }
}

/// `wire` is whose table says how long a simulated way is.
async fn measured(
    (list, wire): (&List, &List),
    asked: &PresenceProve,
    key: &SigningKey,
    claim: Claim,
    draw: Draw,
    witnesses: Vec<(u16, PublicKey)>,
) -> Result<Proved> {
    let socket = UdpSocket::bind(asked.listen)
        .await
        .with_context(|| format!("cannot listen at {}", asked.listen))?;
    let own = socket.local_addr()?;
    let reached_at = match asked.simulate_from {
        None => (!own.ip().is_unspecified()).then_some(own),
        Some(node) => {
            ensure!(node < wire.witnesses.len(), "the list has no witness {node}");
            eprintln!("simulated: answers come as from witness {node}, by what was measured to it");
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
fn ways(list: &List, node: usize) -> BTreeMap<std::net::IpAddr, Duration> {
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

pub fn verify(settings: &Settings, certificate: &Path, list: &Path) -> Result<ExitCode> {
    let list = List::read(list)?;
    judged(settings, &read(certificate)?, &list)
}

/// Read a certificate.
pub fn read(path: &Path) -> Result<PresenceCertificate> {
    let name = path.display();
    let bytes = fs::read(path).with_context(|| format!("cannot read {name}"))?;
    ensure!(
        bytes.len() <= PRESENCE_CERTIFICATE_BYTES_MAX,
        "{name} has {} bytes; a certificate has at most {PRESENCE_CERTIFICATE_BYTES_MAX}",
        bytes.len()
    );
    PresenceCertificate::decode(bytes)
        .with_context(|| format!("{name} is no certificate of presence"))
}

/// Print the verdict; certified or not is the exit code.
fn judged(settings: &Settings, certificate: &PresenceCertificate, list: &List) -> Result<ExitCode> {
    let verdict = presence::verify(certificate, &list.params, &list.tables())
        .context("the certificate is none")?;
    if settings.json() {
        println!("{}", serde_json::to_string(&verdict)?);
    } else {
        show(&verdict, certificate);
    }
    Ok(ExitCode::from(u8::from(verdict.tier != Tier::Certified)))
}

fn show(verdict: &Verdict, certificate: &PresenceCertificate) {
    println!("{} at {}, {}", verdict.tier.name(), verdict.place, verdict.continent);
    println!(
        "  {} of {} witnesses measured; {} bytes; gas {}",
        verdict.measured,
        verdict.drawn,
        certificate.encode().len(),
        verdict.gas
    );
    let land = |what: &str, weakness: &Option<Weakness>| {
        if let Some(Weakness { cell, continent, able, refuted }) = weakness {
            println!(
                "  not {what}: it may stand at {cell}, {continent}: {refuted} of {able} witnesses that could exclude that do"
            );
        }
    };
    land("certified", &verdict.not_certified);
    land("provisional", &verdict.not_provisional);
    if !verdict.faster_than_light.is_empty() {
        println!("  faster than light: witnesses {:?}", verdict.faster_than_light);
    }
    let nearest = certificate.minima.iter().min_by_key(|minimum| minimum.rtt_us);
    if let Some(nearest) = nearest {
        println!("  shortest: {} µs, by witness {}", nearest.rtt_us, nearest.witness);
    }
}
