//! What flags, environment and files add up to: flag > `MESHX_*` > `meshx.toml` > `config.toml`.

use anyhow::{Context as _, Result};
use args::{Global, Output};
use client::home;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use types::ChainId;

/// Where a local mesh listens if nothing else is said.
pub const NODE_DEFAULT: &str = "http://127.0.0.1:8700";

/// The settings of one call.
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// The node to talk to, if one is named anywhere.
    pub node: Option<String>,
    pub chain: ChainId,
    pub wallet: PathBuf,
    /// Whether the wallet was named by the user, so that its absence is an error.
    pub wallet_named: bool,
    pub output: Output,
}

/// A settings file. Unknown names are refused: a misspelt setting must not be silently ignored.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    node: Option<String>,
    chain: Option<ChainId>,
    wallet: Option<PathBuf>,
    output: Option<Output>,
}

impl File {
    fn read(path: &Path) -> Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text).with_context(|| {
                format!(
                    "{} is not a settings file\nhint: it may set node, chain, wallet and output",
                    path.display()
                )
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }
}

impl Settings {
    /// `flags` hold flags and environment already.
    pub fn resolve(flags: &Global) -> Result<Self> {
        let project = File::read(Path::new("meshx.toml"))?;
        let config = home::config()?;
        let user = File::read(&config.join("config.toml"))?;
        let wallet = flags.wallet.clone().or(project.wallet).or(user.wallet);
        Ok(Self {
            node: flags.node.clone().or(project.node).or(user.node),
            chain: flags.chain.or(project.chain).or(user.chain).unwrap_or(ChainId::Europe),
            wallet_named: wallet.is_some(),
            wallet: wallet.unwrap_or_else(|| config.join("wallet")),
            output: flags.output.or(project.output).or(user.output).unwrap_or_default(),
        })
    }

    pub fn json(&self) -> bool {
        self.output == Output::Json
    }
}
