use super::{
    ingress::{Request, mailbox},
    state::{Batch, Round},
};
use crate::news::SubmitError;
use commonware_codec::Encode as _;
use commonware_cryptography::{Signer as _, ed25519::PrivateKey};
use commonware_runtime::IoBuf;
use futures::FutureExt as _;
use tokio::sync::oneshot;
use types::{Action, Address, ChainId, NanoMeshx, Nonce, PublicKey, Signature, Tx};

fn tx(nonce: u64) -> Tx {
    let sender = PublicKey([1; 32]);
    let action = Action::Transfer { to: Address::of(&sender), amount: NanoMeshx::ZERO };
    let (chain, tip, signature) = (ChainId::Europe, NanoMeshx::ZERO, Signature([0; 64]));
    let nonce = Nonce::strict(nonce);
    Tx { chain, sender, nonce, tip, fee_max: Tx::ANY_FEE, action, signature }
}

#[test]
fn a_full_mailbox_says_try_again_and_a_closed_one_says_stopped() {
    let (mailbox, receiver) = mailbox();
    // Each waits for a verdict that nobody gives.
    let mut waiting: Vec<_> = (0..256).map(|n| Box::pin(mailbox.submit(vec![tx(n)]))).collect();
    for submission in &mut waiting {
        assert!(submission.now_or_never().is_none());
    }
    let full = mailbox.submit(vec![tx(0), tx(1)]).now_or_never().expect("an answer at once");
    assert_eq!(full, vec![Err(SubmitError::from(mempool::Rejected::Full)); 2]);
    drop(receiver);
    let stopped = mailbox.submit(vec![tx(0)]).now_or_never().expect("an answer at once");
    assert_eq!(stopped, [Err(SubmitError::Stopped)]);
}

#[test]
fn clients_come_first_and_everybody_keeps_their_order() {
    let mut round = Round::default();
    let request = |nonces: &[u64]| Request {
        txs: nonces.iter().copied().map(tx).collect(),
        reply: oneshot::channel().0,
    };
    let peer = PrivateKey::from_seed(7).public_key();
    round.take(request(&[1, 2]));
    let batch = Batch::new(vec![tx(8), tx(9)]).expect("two");
    round.hear(peer.clone(), IoBuf::from(batch.encode()));
    // No batch is no word.
    round.hear(peer.clone(), IoBuf::from(vec![255_u8; 3]));
    round.take(request(&[3]));
    let nonces: Vec<u64> = round.txs.iter().filter_map(|tx| tx.nonce.number()).collect();
    assert_eq!(nonces, [1, 2, 3, 8, 9]);
    assert_eq!((round.from_clients, round.peers), (3, vec![(peer, 2)]));
    assert_eq!(round.replies.iter().map(|(count, _)| *count).collect::<Vec<_>>(), [2, 1]);
}
