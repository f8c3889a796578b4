//! The current network: every command finds it in the same way, and says once which it is.
//!
//! ```text
//! --node, MESHX_NODE, meshx.toml, config.toml     what is named must answer
//! meshx network use                               must answer, and be the network that was chosen
//! meshx up on this machine                        one that still starts is waited for
//! http://127.0.0.1:8700                           if something answers there
//! none of these                                   `run` makes a passing network for itself, `quote` takes usual prices
//! ```

use crate::settings::{NODE_DEFAULT, Settings};
use anyhow::{Context as _, Result, bail};
use api::{Client, NetworkStatus};
use client::home::{self, RunningMesh};
use std::{
    thread,
    time::{Duration, Instant},
};
use talk::Progress;

/// How long a mesh that starts is waited for.
const START_TIMEOUT: Duration = Duration::from_secs(90);
const LOOKS: Duration = Duration::from_millis(200);

/// A network, and the node of it that is asked.
pub struct Current {
    pub client: Client,
    pub url: String,
    pub status: NetworkStatus,
}

impl Current {
    fn at(url: String) -> Result<Self> {
        let client = Client::new(&url)?;
        let status = client.status()?;
        Ok(Self { client, url, status })
    }

    /// What is said of it, in one line.
    fn line(&self) -> String {
        let (name, id) = (&self.status.name, self.status.network.to_string());
        let at = self.url.trim_start_matches("http://").trim_end_matches('/');
        format!("network {name} {}… at {at}", id.get(..8).unwrap_or(&id))
    }
}

/// The current network, said on stderr; `None` if none is configured and none answers.
///
/// # Errors
/// If one is configured and does not answer, or is another one now.
pub fn find(settings: &Settings) -> Result<Option<Current>> {
    let found = look(settings)?;
    if let Some(current) = &found {
        eprintln!("{}", current.line());
    }
    Ok(found)
}

/// The current network, for a command that needs one.
///
/// # Errors
/// As [`find`], and if there is none.
pub fn need(settings: &Settings) -> Result<Current> {
    let found = find(settings)?;
    found.with_context(|| {
        format!(
            "no network is configured, and no node answers at {NODE_DEFAULT}\nhint: meshx up starts a local network; --node URL or meshx network use URL names another"
        )
    })
}

fn look(settings: &Settings) -> Result<Option<Current>> {
    if let Some(url) = &settings.node {
        return Ok(Some(Current::at(url.clone())?));
    }
    if let Some(chosen) = home::chosen() {
        let current = Current::at(chosen.node.clone()).context(
            "the network that meshx network use chose does not answer\nhint: meshx network use local forgets the choice",
        )?;
        if current.status.network != chosen.network {
            bail!(
                "{} is a node of network {} now; you chose {}\nhint: meshx network use {} chooses it again, if that is what you want",
                chosen.node,
                current.status.network,
                chosen.network,
                chosen.node
            );
        }
        return Ok(Some(current));
    }
    if let Some(mesh) = home::running_mesh().filter(RunningMesh::is_alive) {
        return wait_for(&mesh).map(Some);
    }
    // Somebody may have started one in another way. If nobody did, the connection is refused at once.
    Ok(Current::at(NODE_DEFAULT.to_owned()).ok())
}

/// Wait until the mesh that `up` starts is ready.
fn wait_for(mesh: &RunningMesh) -> Result<Current> {
    let (begun, progress) = (Instant::now(), Progress::new());
    let mut mesh = mesh.clone();
    while !mesh.ready {
        let seconds = begun.elapsed().as_secs();
        progress.say(&format!("waiting for meshx up, which is starting ({seconds} s)"));
        thread::sleep(LOOKS);
        match home::running_mesh().filter(RunningMesh::is_alive) {
            Some(newer) if begun.elapsed() < START_TIMEOUT => mesh = newer,
            Some(_) => bail!(
                "meshx up is still starting after {seconds} s\nhint: this machine may be too busy; try meshx up --validators 1"
            ),
            None => bail!("meshx up ended while it was starting\nhint: its terminal shows why"),
        }
    }
    let process = mesh.process;
    Current::at(mesh.node).with_context(|| {
        format!(
            "meshx up says that it runs here as process {process}, but its node does not answer\nhint: stop that process and start meshx up again, or name another node with --node"
        )
    })
}
