//! Prove where a node stands, and measure others: the list of a period, witnesses that attend, a prover that claims.
//!
//! ```text
//! a file, or the chain ──▶ List ──▶ attend: each witness whose key is here ◀── Noise IK, UDP ──▶ Prover ──▶ certificate
//! ```
//! The protocol is `measure`'s, the rule is `presence`'s; here are the files, the sockets and what follows the chain.

mod attend;
mod list;
mod mistake;
mod prove;
mod wire;

pub use attend::{Attended, Attending, attend};
pub use list::{DEALT, Dealt, List, Met, deal, key, new_key, write};
pub use measure::Proved;
pub use mistake::NotMeasured;
pub use presence::{Tier, Verdict, Weakness};
pub use prove::{Claimed, Prover, judge, read_certificate};

use api::{Client, ClientError};
use std::time::Duration;
use types::{Address, PublicKey};

/// Keeps these channels apart from others of the same keys.
const NAMESPACE: &[u8] = b"meshx/presence/1";
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Between two looks at the file or the chain.
const LOOK: Duration = Duration::from_secs(3);

/// Whose validator votes with `key`, if any is known to.
///
/// # Errors
/// If the node does not answer.
pub fn operator(client: &Client, key: &PublicKey) -> Result<Option<Address>, ClientError> {
    let validators = client.validators()?;
    Ok(validators.iter().find(|validator| validator.key == *key).map(|found| found.operator))
}
