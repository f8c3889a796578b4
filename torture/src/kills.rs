//! SIGKILL at random moments under load; afterwards everything acknowledged is there, once.

use crate::{
    Acks, Audit, Binary, Faults, Mesh, People, Random, Snapshot,
    load::{Load, fund},
    people::{CHAINS, Nonces},
};
use anyhow::{Context as _, Result};
use api::Client;
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

/// Senders on each of the two shards.
pub const SENDERS: usize = 32;
/// Longest load before a kill.
const LOAD_MS_MAX: u64 = 3_000;
/// Longest a process may live that is killed during its start-up.
const START_MS_MAX: u64 = 2_500;
/// Most transfers that are waited for before a kill: three blocks' worth.
const ACKS_MAX: u64 = 200;
/// How long they may take.
const ACK_PATIENCE: Duration = Duration::from_secs(30);

/// The folder of a mesh that was killed, and what it must hold.
pub struct History {
    /// The accounts that the load was of.
    pub people: Arc<People>,
    /// What the node served at the last audit.
    pub snapshot: Snapshot,
}

/// When the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// So long after its start: it may or may not have been ready.
    StartUp(u64),
    /// So long into the load.
    Load(u64),
    /// As soon as so many transfers more have been acknowledged.
    Acknowledged(usize),
}

impl Moment {
    fn draw(random: &mut Random) -> Self {
        match random.below(10) {
            0..2 => Self::StartUp(random.below(START_MS_MAX)),
            2..5 => Self::Acknowledged(1 + random.below(ACKS_MAX) as usize),
            _ => Self::Load(random.below(LOAD_MS_MAX)),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::StartUp(_) => "during start-up",
            Self::Load(_) => "under load",
            Self::Acknowledged(_) => "after an acknowledgement",
        }
    }
}

/// A client and people for the mesh of `folder`, funded.
///
/// # Errors
/// If the mesh does not serve.
pub fn settle(mesh: &Mesh, senders: usize) -> Result<(Client, Arc<People>)> {
    let client = Client::new(&mesh.url)?;
    let network = client.status()?.network;
    let fee = client.params(CHAINS[0])?.base_fee.min;
    let people = Arc::new(People::new(network, fee, senders));
    fund(&people, &client)?;
    Ok((client, people))
}

/// Start a mesh on `folder`, kill it `kills` times, and audit it after each restart.
///
/// # Errors
/// If something prevents the test itself.
pub fn kills(
    binary: &Binary,
    folder: &Path,
    kills: usize,
    random: &Random,
) -> Result<(History, Faults)> {
    let mut random = random.child("kills");
    let mut mesh = binary.start_ready(folder)?;
    let (mut client, people) = settle(&mesh, SENDERS)?;
    let first_start = mesh.took;
    let acks = Arc::new(Acks::default());
    let (mut audit, mut faults) = (Audit::default(), Faults::new());
    let mut snapshot = Snapshot::read(&people, &client)?;
    let mut restarts: Vec<Duration> = Vec::new();
    let mut moments: BTreeMap<&str, usize> = BTreeMap::new();

    for kill in 1..=kills {
        let moment = Moment::draw(&mut random);
        *moments.entry(moment.name()).or_default() += 1;
        let known = acks.count();
        let load = Load::start(&people, &mesh.url, &snapshot.nonces, &acks)?;
        match moment {
            Moment::Load(ms) => std::thread::sleep(Duration::from_millis(ms)),
            Moment::Acknowledged(more) => {
                if !acks.wait_for(known + more, ACK_PATIENCE) {
                    faults.push(format!("kill {kill}: no {more} were final in {ACK_PATIENCE:?}"));
                }
            }
            Moment::StartUp(_) => {
                acks.wait_for(known + 1, ACK_PATIENCE);
            }
        }
        mesh.kill();
        load.stop();
        if let Moment::StartUp(ms) = moment {
            binary.start_and_kill(folder, Duration::from_millis(ms))?;
        }

        mesh = match binary.start_ready(folder) {
            Ok(mesh) => mesh,
            Err(error) => {
                faults.push(format!("kill {kill} ({moment:?}): {error:#}"));
                anyhow::bail!("after kill {kill} {}: {}", moment.name(), faults.join("\n"));
            }
        };
        restarts.push(mesh.took);
        client = Client::new(&mesh.url)?;
        let acknowledged = acks.all();
        let (now, found) = audit
            .check(&people, &client, &acknowledged, &mut random)
            .with_context(|| format!("the audit after kill {kill} ({moment:?})"))?;
        println!(
            "  kill {kill} of {kills} {}: ready again after {:.1} s, {} acknowledged, {} faults",
            moment.name(),
            mesh.took.as_secs_f64(),
            acknowledged.len(),
            found.len(),
        );
        faults.extend(found.into_iter().take(10).map(|fault| format!("kill {kill}: {fault}")));
        snapshot = now;
    }
    faults.extend(acks.faults());
    mesh.kill();

    restarts.sort_unstable();
    let figure = |name: &str, value: String| println!("  {name:<44} {value}");
    figure("kills", kills.to_string());
    for (name, count) in moments {
        figure(&format!("  {name}"), count.to_string());
    }
    let acknowledged = acks.all();
    figure("transfers acknowledged", acknowledged.len().to_string());
    figure("  sent again, same height and block", audit.confirmed.to_string());
    figure("  lost", audit.lost.to_string());
    figure("  doubled", audit.doubled.to_string());
    figure("transfers in blocks", total(&snapshot.nonces).to_string());
    figure("restarts that first served an older height", audit.behind.to_string());
    figure("first start s", format!("{:.1}", first_start.as_secs_f64()));
    for hundredths in [50, 99] {
        let name = format!("restart until ready s p{hundredths}");
        figure(&name, format!("{:.1}", percentile(&restarts, hundredths).as_secs_f64()));
    }
    let mut waits: Vec<Duration> = acknowledged.iter().map(|ack| ack.took).collect();
    waits.sort_unstable();
    figure("transfer until final ms p50", percentile(&waits, 50).as_millis().to_string());
    Ok((History { people, snapshot }, faults))
}

fn total(nonces: &Nonces) -> u64 {
    nonces.values().flatten().sum()
}

/// Of sorted durations; zero if there are none.
pub fn percentile(sorted: &[Duration], hundredths: usize) -> Duration {
    let index = (sorted.len() * hundredths).div_ceil(100).saturating_sub(1);
    sorted.get(index).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_measured() {
        let sorted: Vec<Duration> = (1..=50).map(Duration::from_secs).collect();
        assert_eq!(percentile(&sorted, 50).as_secs(), 25);
        assert_eq!(percentile(&sorted, 99).as_secs(), 50);
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }
}
