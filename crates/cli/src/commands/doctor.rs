//! `meshx doctor`: what keeps this machine from meeting others or earning, and the next step for each.

use crate::{
    args::{Doctor, TorArgs},
    home, local,
    settings::Settings,
};
use anyhow::Result;
use api::Client;
use crypto::SigningKey;
use overlay::{
    Config, Overlay, Path, PeerAddress, TurnServer,
    nat::{self, MapBy, NatKind},
};
use serde::Serialize;
use std::{
    fs,
    net::TcpListener,
    process::ExitCode,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use types::Ppm;

/// A node needs this much to keep blobs and, if it validates, a chain.
const DISK_WANTED: u64 = 10 << 30;
const MEMORY_WANTED: u64 = 2 << 30;
/// Blocks say when they were made; one that is final was made a second or two ago.
const CLOCK_AHEAD_MAX: i64 = 1_000;
const CLOCK_BEHIND_MAX: i64 = 15_000;
/// How long two nodes behind NATs try to punch a hole.
const PUNCH_PATIENCE: Duration = Duration::from_secs(12);
/// A TURN server is tried when no hole could be punched.
const TURN_PATIENCE: Duration = Duration::from_secs(25);
/// How long others get to try whether they can reach this machine.
const REACH_PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    /// It works, with a limit.
    Warn,
    /// It does not work.
    Bad,
    /// Nothing was asked.
    Skipped,
}

/// One thing looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    verdict: Verdict,
    found: String,
    /// What to do about it.
    next: Option<String>,
}

impl Finding {
    fn new(what: &'static str, verdict: Verdict, found: impl Into<String>) -> Self {
        Self { what, verdict, found: found.into(), next: None }
    }

    fn next(mut self, step: impl Into<String>) -> Self {
        self.next = Some(step.into());
        self
    }
}

/// Exits with 1 if something does not work.
pub fn doctor(settings: &Settings, args: &Doctor) -> Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new()?;
    let mut findings = vec![cpu(), memory(), disk(args.dir.as_deref()), port(args.port)];
    findings.extend(node(settings));
    findings.push(runtime.block_on(tor(&args.tor)));
    // These ask others directly: not for whoever hides.
    if !args.tor.tor {
        findings.push(runtime.block_on(nat_type(&args.stun)));
        findings.push(runtime.block_on(router(args.port)));
        findings.push(runtime.block_on(turn(args.turn.turn.as_ref())));
    }
    findings.extend(runtime.block_on(reach(args)));
    runtime.shutdown_timeout(Duration::from_secs(1));
    let bad = findings.iter().any(|finding| finding.verdict == Verdict::Bad);
    if settings.json() {
        println!("{}", serde_json::to_string(&findings)?);
    } else {
        for finding in &findings {
            let mark = match finding.verdict {
                Verdict::Ok => "ok",
                Verdict::Warn => "limit",
                Verdict::Bad => "BAD",
                Verdict::Skipped => "-",
            };
            println!("{mark:<6} {:<13} {}", finding.what, finding.found);
            if let Some(next) = &finding.next {
                println!("{:<20} next: {next}", "");
            }
        }
    }
    Ok(if bad { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn cpu() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut features = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        features.extend(std::arch::is_x86_feature_detected!("sha").then_some("SHA"));
        features.extend(std::arch::is_x86_feature_detected!("avx2").then_some("AVX2"));
        features
            .extend(std::arch::is_x86_feature_detected!("avx512ifma").then_some("AVX-512 IFMA"));
    }
    let known = if features.is_empty() { "none of those used" } else { &features.join(", ") };
    let found = format!("{cores} cores, {} with {known}", std::env::consts::ARCH);
    let fast = features.contains(&"AVX2") || cfg!(not(target_arch = "x86_64"));
    if fast {
        Finding::new("cpu", Verdict::Ok, found)
    } else {
        Finding::new("cpu", Verdict::Warn, found).next(
            "signatures are checked at half the speed: an edge does not mind, a validator does",
        )
    }
}

fn memory() -> Finding {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("MemAvailable"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    match kib.map(|kib| kib << 10) {
        None => Finding::new("memory", Verdict::Skipped, "this system does not say"),
        Some(free) if free >= MEMORY_WANTED => {
            Finding::new("memory", Verdict::Ok, format!("{} MiB free", free >> 20))
        }
        Some(free) => Finding::new("memory", Verdict::Warn, format!("{} MiB free", free >> 20))
            .next("jobs may ask for a GiB: offer --capacity 1"),
    }
}

fn disk(dir: Option<&std::path::Path>) -> Finding {
    let dir =
        dir.map_or_else(|| home::data().unwrap_or_else(|_| ".".into()), std::path::Path::to_owned);
    let exists = dir.ancestors().find(|dir| dir.exists()).unwrap_or(std::path::Path::new("/"));
    match node::free_bytes(exists) {
        None => Finding::new("disk", Verdict::Skipped, "this system does not say"),
        Some(free) if free < node::FREE_BYTES_MIN => Finding::new(
            "disk",
            Verdict::Bad,
            format!("{} MiB free at {}", free >> 20, dir.display()),
        )
        .next("make room, or choose another folder with --dir"),
        Some(free) => {
            let verdict = if free >= DISK_WANTED { Verdict::Ok } else { Verdict::Warn };
            Finding::new("disk", verdict, format!("{} GiB free at {}", free >> 30, dir.display()))
        }
    }
}

fn port(port: u16) -> Finding {
    match TcpListener::bind(("0.0.0.0", port)) {
        Ok(_) => Finding::new("port", Verdict::Ok, format!("{port} is free to listen on")),
        Err(error) => Finding::new("port", Verdict::Warn, format!("{port}: {error}")).next(
            "a node that runs already has it; else choose another one with --port and --listen",
        ),
    }
}

/// What a node says: whether our clocks agree, and what this machine would earn.
fn node(settings: &Settings) -> Vec<Finding> {
    let Some(url) = &settings.node else {
        return vec![Finding::new("clock", Verdict::Skipped, "no node named").next(
            "--node URL compares with a chain's clock, and says what this machine would earn",
        )];
    };
    let asked = || -> Result<Vec<Finding>, api::ClientError> {
        let client = Client::new(url)?;
        let status = client.status()?;
        let newest = status.chains.iter().filter_map(|chain| chain.timestamp).max();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let mut findings = Vec::new();
        if let Some(newest) = newest {
            let apart = i64::try_from(now).unwrap_or(i64::MAX)
                - i64::try_from(newest.get()).unwrap_or(i64::MAX);
            let found = format!("{apart} ms after the newest final block");
            findings.push(match apart {
                apart if apart < -CLOCK_AHEAD_MAX => Finding::new("clock", Verdict::Bad, found)
                    .next("this clock is slow: let NTP set it (timedatectl set-ntp true)"),
                apart if apart > CLOCK_BEHIND_MAX => Finding::new("clock", Verdict::Warn, found)
                    .next("either this clock is fast, or the chain stands still: compare with meshx status"),
                _ => Finding::new("clock", Verdict::Ok, found),
            });
        }
        let (params, market) = (client.params(settings.chain)?, client.market(settings.chain)?);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let demand = f64::from(market.demand.get()) / f64::from(Ppm::ONE.get());
        // For showing, so floats will do: a day of all cores, at the share of places that is paid for now.
        let day = params.rates.core_second.get() as f64 / 1e9 * 86_400.0 * cores as f64 * demand;
        let taken = [params.validators_bps, params.treasury_bps, params.burned_bps];
        let share = 1.0 - taken.into_iter().map(f64::from).sum::<f64>() / 10_000.0;
        let used = f64::from(market.utilisation_bps) / 100.0;
        findings.push(Finding::new(
            "earnings",
            Verdict::Ok,
            format!(
                "{:.2} MESHX a day if all {cores} cores were busy; {used:.0} % of all places are paid for now, so about {:.2}",
                day * share,
                day * share * used / 100.0
            ),
        ));
        Ok(findings)
    };
    asked().unwrap_or_else(|error| {
        vec![
            Finding::new("node", Verdict::Bad, error.to_string().replace('\n', "; "))
                .next("is the address right, and is that node up?"),
        ]
    })
}

async fn tor(args: &TorArgs) -> Finding {
    match overlay::tor_state(&args.daemon()).await {
        Ok(state) if state.starts_with("100 ") => Finding::new("tor", Verdict::Ok, state),
        Ok(state) => Finding::new("tor", Verdict::Warn, state)
            .next("wait until it is at 100 %; its log says what keeps it"),
        Err(error) if args.tor || args.onion => {
            Finding::new("tor", Verdict::Bad, error.to_string())
                .next("start tor, with a line \"ControlPort 9051\" in its torrc")
        }
        Err(_) => {
            Finding::new("tor", Verdict::Skipped, "no daemon here; only --tor and --onion need one")
        }
    }
}

async fn nat_type(servers: &[String]) -> Finding {
    if servers.is_empty() {
        return Finding::new("nat", Verdict::Skipped, "no STUN server named")
            .next("--stun HOST:PORT, twice: two servers tell the kind of NAT");
    }
    match nat::nat_kind(servers).await {
        Err(error) => Finding::new("nat", Verdict::Warn, error.to_string().replace('\n', "; "))
            .next(
                "UDP may be blocked: all that a node needs goes over TCP, so this is no hindrance",
            ),
        Ok((kind, seen)) => {
            let outside = seen.first().map(|seen| seen.mapped.to_string()).unwrap_or_default();
            match kind {
                NatKind::None => Finding::new("nat", Verdict::Ok, format!("none: {outside}")),
                NatKind::EndpointIndependent => Finding::new(
                    "nat",
                    Verdict::Ok,
                    format!(
                        "cone (the same address to everybody): {outside}; holes can be punched"
                    ),
                ),
                NatKind::EndpointDependent => {
                    let all: Vec<String> =
                        seen.iter().map(|seen| seen.mapped.to_string()).collect();
                    Finding::new(
                        "nat",
                        Verdict::Warn,
                        format!("symmetric (another address to each): {}", all.join(", ")),
                    )
                    .next("others reach this machine by a mapped port or through a relay; it dials out freely")
                }
                NatKind::Unknown => Finding::new(
                    "nat",
                    Verdict::Warn,
                    format!("a NAT of unknown kind: {outside}; one server answered"),
                )
                .next("name a second --stun server"),
            }
        }
    }
}

async fn router(port: u16) -> Finding {
    let Some((gateway, local)) = nat::local_gateway() else {
        return Finding::new("router", Verdict::Skipped, "this machine has none, or does not tell");
    };
    if nat::is_global(local) {
        return Finding::new(
            "router",
            Verdict::Ok,
            format!("{local} is on the internet: none needed"),
        );
    }
    let (mut speaks, mut outside) = (Vec::new(), None);
    for by in MapBy::ALL {
        if let Ok(mapping) = nat::map(port, by).await {
            speaks.push(by.name());
            outside = Some(mapping.external);
            nat::unmap(mapping).await;
        }
    }
    match outside {
        None => Finding::new("router", Verdict::Warn, format!("{gateway} passes no port on"))
            .next("switch UPnP or PCP on in it, or pass TCP on by hand and say so with --announce"),
        Some(outside) if !nat::is_global(outside.ip()) => Finding::new(
            "router",
            Verdict::Warn,
            format!(
                "{gateway} speaks {}, and stands behind another NAT itself ({outside})",
                speaks.join(", ")
            ),
        )
        .next("a carrier's NAT: others reach this machine through relays"),
        Some(outside) => Finding::new(
            "router",
            Verdict::Ok,
            format!("{gateway} speaks {} and would pass on {outside}", speaks.join(", ")),
        ),
    }
}

async fn turn(server: Option<&TurnServer>) -> Finding {
    let Some(server) = server else {
        return Finding::new("turn", Verdict::Skipped, "no TURN server named");
    };
    match overlay::turn_state(server).await {
        Ok(address) => {
            let found = format!("{} would take peers in at {address}", server.place);
            Finding::new("turn", Verdict::Ok, found)
        }
        Err(error) => Finding::new("turn", Verdict::Bad, format!("{}: {error}", server.place))
            .next("are name and password right, and does that server carry TCP (RFC 6062)?"),
    }
}

/// Join for a moment, as a node that nobody knows.
async fn reach(args: &Doctor) -> Vec<Finding> {
    let (Some(network), [first, ..]) = (args.network, &args.join[..]) else {
        return vec![
            Finding::new("peers", Verdict::Skipped, "no network named")
                .next("--network ID --join ADDRESS tries the way that an edge goes"),
        ];
    };
    let made = async {
        let key = SigningKey::from_seed(&local::random_seed()?);
        let listen = format!("/ip4/0.0.0.0/tcp/{}", args.port).parse()?;
        let config = Config {
            bootstrap: args.join.clone(),
            tor: args.tor.used(),
            turn: args.turn.turn.clone(),
            ..Config::new(key, network, vec![listen])
        };
        anyhow::Ok(Overlay::start(config)?)
    };
    match made.await {
        Err(error) => vec![Finding::new("peers", Verdict::Bad, format!("{error:#}"))],
        Ok(overlay) => {
            let findings = try_out(&overlay, first, &args.join).await;
            overlay.close().await;
            findings
        }
    }
}

/// How the peer is reached: through a relay at first, if that is its address, and directly if a hole can be punched.
async fn path_to(overlay: &Overlay, peer: &PeerAddress) -> Finding {
    let begun = Instant::now();
    let mut patience = PUNCH_PATIENCE;
    loop {
        let Ok(status) = overlay.status().await else {
            return Finding::new("path", Verdict::Bad, "the overlay has stopped");
        };
        if status.turn.is_some() {
            patience = TURN_PATIENCE;
        }
        let path =
            status.peers.iter().find(|known| known.peer == peer.peer()).map(|known| known.path);
        match path {
            Some(Path::Relayed) if begun.elapsed() < patience => {}
            Some(Path::Relayed) => {
                return Finding::new("path", Verdict::Warn, "through a relay; no hole could be punched")
                    .next("one of the two stands behind a symmetric NAT: that works, through the relay's bandwidth");
            }
            Some(Path::Direct | Path::Inbound) => {
                return Finding::new("path", Verdict::Ok, "direct");
            }
            Some(Path::HolePunched) => {
                let took = begun.elapsed().as_millis();
                return Finding::new(
                    "path",
                    Verdict::Ok,
                    format!("direct, by a punched hole after {took} ms"),
                );
            }
            Some(Path::Turn) => {
                let took = begun.elapsed().as_millis();
                return Finding::new(
                    "path",
                    Verdict::Ok,
                    format!("through the TURN server after {took} ms; no hole could be punched"),
                );
            }
            None => return Finding::new("path", Verdict::Bad, "the connection broke"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn try_out(overlay: &Overlay, first: &PeerAddress, join: &[PeerAddress]) -> Vec<Finding> {
    let begun = Instant::now();
    let mut last = String::new();
    let mut met = None;
    for address in join {
        match overlay.dial(address).await {
            Ok(()) => {
                met = Some(address);
                break;
            }
            Err(error) => last = error.to_string(),
        }
    }
    let Some(met) = met else {
        let refused = format!("{} of {} addresses answered: {last}", 0, join.len());
        return vec![Finding::new("peers", Verdict::Bad, refused).next(format!(
            "is {} the whole address, is that node up, and does a firewall let TCP through?",
            first
        ))];
    };
    let took = begun.elapsed().as_millis();
    let mut findings = vec![Finding::new(
        "peers",
        Verdict::Ok,
        format!("{} answered after {took} ms", met.peer()),
    )];
    findings.push(path_to(overlay, met).await);
    findings.push(match overlay.open(met.peer(), overlay::API_PROTOCOL).await {
        Ok(_) => Finding::new("gateway", Verdict::Ok, "it serves the API to edges"),
        Err(error) => Finding::new("gateway", Verdict::Warn, error.to_string())
            .next("an edge needs one node with the role aggregator; it looks for one in the table"),
    });
    // Others try whether they reach this machine; then relays are asked for a place.
    while begun.elapsed() < REACH_PATIENCE {
        let Ok(status) = overlay.status().await else { break };
        let direct: Vec<String> = status
            .reachable_at
            .iter()
            .map(ToString::to_string)
            .filter(|address| !address.contains("p2p-circuit"))
            .collect();
        if !direct.is_empty() {
            let by = status.mapped.map_or("others have reached it", |_| "the router passes it on");
            findings.push(Finding::new(
                "reachable",
                Verdict::Ok,
                format!("{} ({by})", direct.join(" ")),
            ));
            return findings;
        }
        if !status.relays.is_empty() && begun.elapsed() > REACH_PATIENCE / 2 {
            findings.push(
                Finding::new("reachable", Verdict::Warn, "through a relay only")
                    .next("that is enough to work; a mapped port or a public address is quicker"),
            );
            return findings;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    findings.push(
        Finding::new(
            "reachable",
            Verdict::Warn,
            "nobody has reached this machine, and no relay offers a place",
        )
        .next("it dials out, so it can work; nobody can dial it"),
    );
    findings
}
