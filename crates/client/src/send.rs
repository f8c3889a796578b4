//! One transaction: signed, sent, and final.

use crate::wallet;
use api::{Client, ClientError, Code, Submitted, Wait};
use crypto::SigningKey;
use std::{thread, time::Duration};
use types::{Action, ChainId, Hash, Intent, NanoMeshx, PublicKey, Tx};

/// How often a transaction is signed again because another of the same wallet came first, and how soon.
const TURNS: u8 = 40;
const TURN_PAUSE: Duration = Duration::from_millis(500);

/// `action`, signed with `key` for one network and chain. `nonce` is the number of the account's transactions so far.
#[must_use]
pub fn signed(key: &SigningKey, network: &Hash, chain: ChainId, nonce: u64, action: Action) -> Tx {
    let intent = Intent { chain, nonce, tip: NanoMeshx::ZERO, action };
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
    let nonce = client.account(chain, wallet::address(key))?.nonce;
    client.submit(&signed(key, &network, chain, nonce, action), Wait::Final)
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
        let tx = signed(&key, &network, ChainId::Europe, 7, Action::Heartbeat);
        let holds = |network: &Hash| {
            crypto::verify(&key.public(), Tx::DOMAIN, &tx.signing_bytes(network), &tx.signature.0)
        };
        assert_eq!((tx.from(), tx.nonce), (wallet::address(&key), 7));
        assert!(holds(&network).is_ok());
        assert!(holds(&Hash([2; 32])).is_err());
    }
}
