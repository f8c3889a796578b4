//! One transaction: signed, sent, and final.

use crate::wallet;
use api::{Client, ClientError, Code, Submitted, Wait};
use crypto::SigningKey;
use std::{thread, time::Duration};
use types::{Action, ChainId, Hash, Intent, NanoMeshx, Nonce, PublicKey, Tx};

/// How often a transaction is signed again because another of the same wallet came first, and how soon.
const TURNS: u8 = 40;
const TURN_PAUSE: Duration = Duration::from_millis(500);

/// How much the base fee may rise between signing and the block. In a full block it rises by an eighth: so this is room
/// for a dozen full blocks.
const FEE_ROOM: u64 = 4;

/// The cap of a transaction that is signed while the base fee is this high.
#[must_use]
pub const fn fee_max(base_fee: NanoMeshx) -> NanoMeshx {
    NanoMeshx::new(base_fee.get().saturating_mul(FEE_ROOM))
}

/// `intent`, signed with `key` for one network.
#[must_use]
pub fn signed(key: &SigningKey, network: &Hash, intent: Intent) -> Tx {
    Tx::signed(network, PublicKey(key.public()), intent, |domain, message| {
        key.sign(domain, message)
    })
}

/// Sign `action` with `key`, send it, and wait until it is final.
///
/// # Errors
/// [`ClientError`], for instance because the chain refuses the transaction.
pub fn act(
    client: &Client,
    key: &SigningKey,
    chain: ChainId,
    action: Action,
) -> Result<Submitted, ClientError> {
    let network = client.status()?.network;
    let intent = intent(client, key, chain, action)?;
    client.submit(&signed(key, &network, intent), Wait::Final)
}

/// `action` with the next nonce of `key`'s account, at the base fee of now, without a tip.
///
/// # Errors
/// [`ClientError`].
pub fn intent(
    client: &Client,
    key: &SigningKey,
    chain: ChainId,
    action: Action,
) -> Result<Intent, ClientError> {
    let nonce = Nonce::strict(client.account(chain, wallet::address(key))?.nonce);
    let fee_max = fee_max(client.market(chain)?.base_fee);
    Ok(Intent { chain, nonce, tip: NanoMeshx::ZERO, fee_max, action })
}

/// Like [`act`], for a wallet that several machines pay with: who comes second signs again.
///
/// # Errors
/// [`ClientError`].
pub fn act_in_turn(
    client: &Client,
    key: &SigningKey,
    chain: ChainId,
    action: &Action,
) -> Result<Submitted, ClientError> {
    let mut turns = 0;
    loop {
        match act(client, key, chain, action.clone()) {
            Err(error) if turns < TURNS && came_second(&error) => turns += 1,
            done => return done,
        }
        thread::sleep(TURN_PAUSE);
    }
}

/// Whether another transaction of the same wallet came first.
#[must_use]
pub fn came_second(error: &ClientError) -> bool {
    let code = error.problem().map(|problem| problem.code);
    matches!(code, Some(Code::NonceUsed | Code::NonceOccupied | Code::NonceGap))
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::Problem;

    #[test]
    fn only_who_comes_second_signs_again() {
        let refused = |code| ClientError::Problem(Problem::new(code, "refused"));
        for code in [Code::NonceUsed, Code::NonceOccupied, Code::NonceGap] {
            assert!(came_second(&refused(code)), "{code:?}");
        }
        assert!(!came_second(&refused(Code::BadRequest)));
        assert!(!came_second(&ClientError::TimedOut { url: String::new() }));
    }

    #[test]
    fn a_transaction_is_of_its_key_and_network() {
        let key = SigningKey::from_seed(&[5; 32]);
        let network = Hash([1; 32]);
        let (chain, action) = (ChainId::Europe, Action::Heartbeat);
        let (tip, fee_max) = (NanoMeshx::ZERO, fee_max(NanoMeshx::new(1_000)));
        let tx =
            signed(&key, &network, Intent { chain, nonce: Nonce::strict(7), tip, fee_max, action });
        assert_eq!(tx.fee_max, NanoMeshx::new(4_000));
        let holds = |network: &Hash| {
            crypto::verify(&key.public(), Tx::DOMAIN, &tx.signing_bytes(network), &tx.signature.0)
        };
        assert_eq!((tx.from(), tx.nonce), (wallet::address(&key), Nonce::strict(7)));
        assert!(holds(&network).is_ok());
        assert!(holds(&Hash([2; 32])).is_err());
    }
}
