//! Whether this machine reaches a network, and is reached: it joins for a moment.

use super::{Asked, Finding, Verdict};
use crypto::SigningKey;
use overlay::{Config, Overlay, Path, PeerAddress};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use types::Hash;

/// How long two nodes behind NATs try to punch a hole.
const PUNCH_PATIENCE: Duration = Duration::from_secs(12);
/// A TURN server is tried when no hole could be punched.
const TURN_PATIENCE: Duration = Duration::from_secs(25);
/// How long others get to try whether they can reach this machine.
const REACH_PATIENCE: Duration = Duration::from_secs(20);

/// How long a connection may take that only shows whether a program listens.
const LISTENS_PATIENCE: Duration = Duration::from_secs(3);

/// Join for a moment, as a node that nobody knows.
pub(super) async fn reach(asked: &Asked) -> Vec<Finding> {
    let (Some(network), [first, ..]) = (asked.network, &asked.join[..]) else {
        return vec![
            Finding::new("peers", Verdict::Skipped, "no network is named")
                .next("add --network ID --join ADDRESS to try to connect as an edge does"),
        ];
    };
    match start(asked, network) {
        Err(error) => vec![Finding::new("peers", Verdict::Bad, error)],
        Ok(overlay) => {
            let findings = try_out(&overlay, network, first, &asked.join).await;
            overlay.close().await;
            findings
        }
    }
}

/// An overlay that nobody knows.
fn start(asked: &Asked, network: Hash) -> Result<Overlay, String> {
    let seed = client::wallet::random().map_err(|error| error.to_string())?;
    let listen = SocketAddr::from(([0, 0, 0, 0], asked.port));
    let (daemon, used) = &asked.tor;
    let config = Config {
        bootstrap: asked.join.clone(),
        tor: used.then(|| daemon.clone()),
        turn: asked.turn.clone(),
        ..Config::new(SigningKey::from_seed(&seed), network, vec![edge::multiaddr(listen)])
    };
    Overlay::start(config).map_err(|error| error.to_string())
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
                return Finding::new("path", Verdict::Warn, "through a relay; hole punching failed")
                    .next("one of the two is behind a symmetric NAT: the connection works, at the relay's bandwidth");
            }
            Some(Path::Direct | Path::Inbound) => {
                return Finding::new("path", Verdict::Ok, "direct");
            }
            Some(Path::HolePunched) => {
                let took = begun.elapsed().as_millis();
                return Finding::new(
                    "path",
                    Verdict::Ok,
                    format!("direct, by hole punching after {took} ms"),
                );
            }
            Some(Path::Turn) => {
                let took = begun.elapsed().as_millis();
                return Finding::new(
                    "path",
                    Verdict::Ok,
                    format!("through the TURN server after {took} ms; hole punching failed"),
                );
            }
            None => return Finding::new("path", Verdict::Bad, "the connection broke"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Whether anything takes connections at that address.
async fn listens(address: &PeerAddress) -> bool {
    let Some(at) = address.tcp() else { return false };
    let connected = tokio::net::TcpStream::connect(at);
    matches!(tokio::time::timeout(LISTENS_PATIENCE, connected).await, Ok(Ok(_)))
}

async fn try_out(
    overlay: &Overlay,
    network: Hash,
    first: &PeerAddress,
    join: &[PeerAddress],
) -> Vec<Finding> {
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
        let refused = format!("0 of {} addresses answered: {last}", join.len());
        let next = if listens(first).await {
            format!(
                "a program listens at {first}, but it is no node of the network {network}, or another node: check --network and the id behind /p2p/; meshx node start prints both"
            )
        } else {
            format!(
                "check that {first} is the whole address, that the node runs, and that no firewall blocks TCP"
            )
        };
        return vec![Finding::new("peers", Verdict::Bad, refused).next(next)];
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
        Err(error) => Finding::new("gateway", Verdict::Warn, error.to_string()).next(
            "an edge needs a node with the role aggregator; it looks for one among its peers",
        ),
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
            let by =
                status.mapped.map_or("other nodes have reached it", |_| "the router forwards it");
            findings.push(Finding::new(
                "reachable",
                Verdict::Ok,
                format!("{} ({by})", direct.join(" ")),
            ));
            return findings;
        }
        if !status.relays.is_empty() && begun.elapsed() > REACH_PATIENCE / 2 {
            findings
                .push(Finding::new("reachable", Verdict::Warn, "through a relay only").next(
                    "this is enough to work; a forwarded port or a public address is faster",
                ));
            return findings;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    findings.push(
        Finding::new(
            "reachable",
            Verdict::Warn,
            "no node can reach this machine, and no relay accepts it",
        )
        .next("this machine can connect to others and work, but others cannot connect to it"),
    );
    findings
}
