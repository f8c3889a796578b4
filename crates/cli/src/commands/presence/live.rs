//! `meshx presence attend | prove | verify`: witnesses and provers as processes, over Noise IK and UDP.

use super::{
    list::{self, List},
    wire,
};
use crate::{args::PresenceProve, home, settings::Settings, submit, wallet};
use anyhow::{Context as _, Result, ensure};
use crypto::{Role, SigningKey, VrfKey, VrfSuite};
use measure::{AttendSettings, Attendant, Draw, ProveSettings, Proved, Request, WorkRule};
use network::ik::{Identity, PeerIdentity, Responder, Stream, Suites};
use presence::{Tier, Verdict, Weakness, land};
use std::{
    collections::BTreeMap,
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream, UdpSocket},
    sync::Semaphore,
    time::timeout,
};
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt as _, TokioAsyncReadCompatExt as _};
use types::{
    Hash, PublicKey,
    codec::{DecodeExt as _, Encode as _},
    presence::{Claim, PRESENCE_CERTIFICATE_BYTES_MAX, PresenceCertificate},
};

/// Keeps these channels apart from others of the same keys.
const NAMESPACE: &[u8] = b"meshx/presence/1";
/// Provers that one process attends to at once, over all its witnesses; the next ones wait to be accepted.
const ATTENDED_MAX: usize = 256;
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Items of work that a witness asks for, and hashes of each: half a millisecond, so that 96 witnesses ask for a tenth of a second.
const WORKS: u8 = 3;
const WORK_ROUNDS: u32 = 4_096;

type Channel = Compat<Stream<Compat<TcpStream>>>;

/// What was claimed of each key in the period, so that nobody tries place after place.
type Claimed = Arc<Mutex<BTreeMap<PublicKey, Hash>>>;

pub fn attend(list: &Path, keys: &Path, work_within_ms: Option<u16>) -> Result<()> {
    let mut settings = AttendSettings::DEFAULT;
    settings.plan.work = work_within_ms.map(|ms| WorkRule {
        count: WORKS,
        rounds: WORK_ROUNDS,
        allowance_us: u32::from(ms) * 1_000,
    });
    let list = Arc::new(List::read(list)?);
    let mut witnesses = Vec::new();
    let folder = fs::read_dir(keys).with_context(|| format!("cannot read {}", keys.display()))?;
    for entry in folder {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "key") {
            let key = list::key(&path)?;
            let is_its = |witness: &presence::Witness| witness.key.0 == key.public();
            if let Some(index) = list.witnesses.iter().position(is_its) {
                witnesses.push((index, key));
            }
        }
    }
    ensure!(!witnesses.is_empty(), "no key in {} is of a witness of the list", keys.display());
    let count = witnesses.len();
    tokio::runtime::Runtime::new()?.block_on(async {
        let places = Arc::new(Semaphore::new(ATTENDED_MAX));
        for (index, key) in witnesses {
            let address = list.addresses[index].with_context(|| {
                format!("the list does not say where witness {index} is met\nhint: its operator says it by meshx stake announce")
            })?;
            let listener = TcpListener::bind(address)
                .await
                .with_context(|| format!("cannot listen at {address}"))?;
            let key = Arc::new(key);
            tokio::spawn(witness(listener, key, list.clone(), places.clone(), settings));
        }
        println!("ready: {count} witnesses attend");
        tokio::signal::ctrl_c().await?;
        Ok(())
    })
}

async fn witness(
    listener: TcpListener,
    key: Arc<SigningKey>,
    list: Arc<List>,
    places: Arc<Semaphore>,
    settings: AttendSettings,
) {
    let responder = Arc::new(Responder {
        me: Identity::new(&key),
        suites: Suites::default(),
        namespace: NAMESPACE.to_vec(),
    });
    let claimed = Claimed::default();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        // Such as too many open files: others may end meanwhile.
        let Ok((socket, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (key, list, responder, claimed) =
            (key.clone(), list.clone(), responder.clone(), claimed.clone());
        tokio::spawn(async move {
            let said = serve(socket, &key, &list, &responder, &claimed, &settings).await;
            if let Err(error) = said {
                tracing::info!("not attended: {error:#}");
            }
            drop(place);
        });
    }
}

async fn serve(
    socket: TcpStream,
    key: &SigningKey,
    list: &List,
    responder: &Responder,
    claimed: &Claimed,
    settings: &AttendSettings,
) -> Result<()> {
    let own = socket.local_addr()?.ip();
    let channel = timeout(HANDSHAKE, Stream::respond(socket.compat(), responder))
        .await
        .context("no handshake in time")??;
    let peer = PublicKey(channel.peer().public());
    let attendant = Attendant {
        key,
        bind: SocketAddr::new(own, 0),
        // Nobody behind a NAT reaches a witness on loopback, and a simulated wire is not to be gone around.
        reached_at: (!own.is_loopback()).then_some(own),
    };
    let me = PublicKey(key.public());
    let admit = |claim: &Claim, draw: &Draw| {
        let seat = measure::seat(claim, draw, &me, &list.params, &list.tables())
            .map_err(|error| error.to_string())?;
        let mut claimed = claimed.lock().expect("nothing panics with it");
        match *claimed.entry(claim.prover).or_insert_with(|| claim.id()) {
            known if known == claim.id() => Ok(seat),
            _ => Err("it claimed something else in this period".to_owned()),
        }
    };
    let attended = measure::attend(channel.compat(), &peer, &attendant, admit, settings).await?;
    tracing::info!(
        witness = attended.minimum.witness,
        rtt_us = attended.minimum.rtt_us,
        "measured"
    );
    Ok(())
}

pub fn prove(settings: &Settings, asked: &PresenceProve) -> Result<ExitCode> {
    let list = List::read(&asked.list)?;
    // What the chain knows of a wallet's validator is what its claim has to name.
    let (key, attestation) = match &asked.key {
        None => {
            let client = submit::client(settings)?;
            let keys = submit::keys(settings, &client)?;
            let view = client.presence(wallet::address(&keys.key(Role::Spend, 0)))?;
            (keys.key(Role::Consensus, 0), view.attestation)
        }
        Some(file) if file.exists() => (list::key(file)?, Hash::ZERO),
        Some(file) => (list::new_key(file)?, Hash::ZERO),
    };
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
    let vrf = VrfKey::beside(&key);
    let claim = Claim {
        prover: PublicKey(key.public()),
        place: asked.place,
        continent,
        attestation: asked.attestation.unwrap_or(attestation),
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
    let proved = runtime.block_on(measured(&list, asked, &key, claim, draw, witnesses))?;
    runtime.shutdown_background();

    home::write_whole(&asked.out, &proved.certificate.encode(), false)?;
    eprintln!("certificate {}", asked.out.display());
    for (witness, why) in proved.silent.iter().take(5) {
        eprintln!("  silent: witness {witness}: {why}");
    }
    if proved.silent.len() > 5 {
        eprintln!("  and {} more", proved.silent.len() - 5);
    }
    judged(settings, &proved.certificate, &list)
}

async fn measured(
    list: &List,
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
            ensure!(node < list.witnesses.len(), "the list has no witness {node}");
            eprintln!("simulated: answers come as from witness {node}, by what was measured to it");
            let to = SocketAddr::from((Ipv4Addr::LOCALHOST, own.port()));
            Some(wire::before(to, ways(list, node)).await?)
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
