//! A mesh does what it says: jobs settle, receipts verify, bad requests change nothing.

use crate::support::{CHAIN, Client, address, plan, with_network};
use api::{Backend as _, Body, Output, ProofKey, Wait};
use futures::TryStreamExt as _;
use network::Latency;
use receipt::{Follower, Heard};
use types::{
    Action, Address, ChainId, NanoMeshx, Proved, PublicKey, Record, Status, Trap,
    state::{Key, Phase},
};

/// Prints its input, then exits with the code in `$code`.
fn echo(code: i32) -> Vec<u8> {
    let text = format!(
        r#"(module
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start")
            (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 4096))
            (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
            (i32.store (i32.const 4) (i32.load (i32.const 8)))
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
            (call $exit (i32.const {code}))))"#
    );
    sandbox::binary_of(text.as_bytes()).unwrap().into_owned()
}

const LOOP: &str =
    r#"(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))"#;

async fn bytes(body: Body) -> Vec<u8> {
    body.chunks.map_ok(|chunk| chunk.to_vec()).try_concat().await.unwrap()
}

#[test]
fn a_job_settles_and_its_receipt_verifies_offline() {
    with_network(&plan(&[CHAIN], 4, Latency::none()), |node| async move {
        let client = Client::new(&node);
        let before = node.account(CHAIN, address(&client.key)).await.unwrap().balance;
        let view = client.run(client.submission(&echo(3), b"hello mesh\n").await).await;
        let Phase::Settled(settlement) = &view.record.phase else {
            panic!("{:?}", view.record.phase)
        };
        assert_eq!((settlement.outcome.status, settlement.agreed), (Status::Exited(3), 4));
        assert_eq!(view.assurance.level, "quorum 4/4");
        let output = node.output(Some(CHAIN), view.job, Output::Stdout).await.unwrap();
        assert_eq!(bytes(output).await, b"hello mesh\n");
        let after = node.account(CHAIN, address(&client.key)).await.unwrap().balance;
        assert_eq!(before.get() - after.get(), settlement.paid.get() + 5_000);

        let file = node.receipt(None, view.job).await.unwrap();
        let network = node.network_keys().network();
        let verified = receipt::verify(&file, |id| *id == network).expect("the receipt holds");
        assert_eq!(verified.assurance().to_string(), "quorum 4/4");
        let stranger = receipt::verify(&file, |_| false);
        assert_eq!(stranger, Err(receipt::Failed::Network(network)));
        for place in (0..file.len()).step_by(7) {
            let mut changed = file.to_vec();
            changed[place] ^= 1 << (place % 8);
            assert!(
                receipt::verify(&changed, |_| true).is_err(),
                "byte {place} of {} can change",
                file.len()
            );
        }
    });
}

#[test]
fn the_same_job_again_is_answered_from_the_cache() {
    with_network(&plan(&[CHAIN], 4, Latency::none()), |node| async move {
        let client = Client::new(&node);
        let first = client.run(client.submission(&echo(0), b"x").await).await;
        let again = client.run(client.submission(&echo(0), b"x").await).await;
        let Phase::Settled(settlement) = &again.record.phase else {
            panic!("{:?}", again.record.phase)
        };
        assert_eq!((settlement.cached_from, settlement.paid), (Some(first.job), NanoMeshx::ZERO));
        let file = node.receipt(None, again.job).await.unwrap();
        receipt::verify(&file, |_| true).expect("a cached result's receipt holds too");
    });
}

#[test]
fn a_job_that_runs_out_of_fuel_settles_with_that_outcome() {
    with_network(&plan(&[CHAIN], 4, Latency::none()), |node| async move {
        let client = Client::new(&node);
        let module = sandbox::binary_of(LOOP.as_bytes()).unwrap();
        let view = client.run(client.submission(&module, b"").await).await;
        let Phase::Settled(settlement) = &view.record.phase else {
            panic!("{:?}", view.record.phase)
        };
        assert_eq!(settlement.outcome.status, Status::Trapped(Trap::OutOfFuel));
        // All the fuel is paid for; what it did not hold of memory and print comes back.
        let submission = &view.record.submission;
        assert_eq!(settlement.outcome.fuel, submission.spec.limits.fuel);
        let all = settlement.paid.checked_add(settlement.refunded);
        assert_eq!(all, Some(submission.price_max), "{settlement:#?}");
        assert!(settlement.paid > NanoMeshx::ZERO, "{settlement:#?}");
    });
}

#[test]
fn refusals_have_codes_and_move_nothing() {
    with_network(&plan(&[CHAIN], 1, Latency::none()), |node| async move {
        let client = Client::new(&node);
        let balance = async || node.account(CHAIN, address(&client.key)).await.unwrap().balance;
        let before = balance().await;
        let send = |nonce, amount: u64| {
            let to = Address::of(&PublicKey([9; 32]));
            client.signed(nonce, Action::Transfer { to, amount: NanoMeshx::new(amount) })
        };
        let code = async |tx| node.submit(tx, Wait::Final).await.unwrap_err().code.as_str();
        assert_eq!(code(send(0, u64::MAX)).await, "insufficient_funds");
        assert_eq!(code(send(5, 1)).await, "nonce_gap");
        assert_eq!(code(send(0, 0)).await, "zero_amount");
        let (to, amount) = (types::state::pools::escrow(), NanoMeshx::new(1));
        let gift = client.signed(0, Action::Transfer { to, amount });
        assert_eq!(code(gift).await, "pool_account");
        let mut forged = send(0, 1);
        forged.nonce = types::Nonce::strict(1);
        assert_eq!(code(forged).await, "bad_signature");
        let mut elsewhere = send(0, 1);
        elsewhere.chain = ChainId::Asia;
        assert_eq!(code(elsewhere).await, "unknown_chain");
        let mut cheap = client.submission(&echo(0), b"").await;
        cheap.price_max = NanoMeshx::new(1);
        assert_eq!(
            client.send(Action::SubmitJob(cheap)).await.unwrap_err().code.as_str(),
            "unacceptable_job"
        );
        assert_eq!(before, balance().await);

        let tx = send(0, 1);
        let first = node.submit(tx.clone(), Wait::Final).await.unwrap();
        assert_eq!(
            node.submit(tx, Wait::Final).await.unwrap(),
            first,
            "the same transaction gets the same answer"
        );
        assert_eq!(code(send(0, 2)).await, "nonce_used");
    });
}

#[test]
fn presence_and_absence_are_both_proved() {
    with_network(&plan(&[CHAIN], 4, Latency::none()), |node| async move {
        let client = Client::new(&node);
        let me = address(&client.key);
        let there = node.proof(CHAIN, ProofKey::Account(me)).await.unwrap();
        let (key, other) =
            (types::state::Key::Account(me), types::state::Key::Account(Address::pool("nobody")));
        let value = there.value.clone().unwrap().0;
        receipt::light::verify_certificate(
            node.network_keys(),
            &there.header,
            &there.certificate.0,
        )
        .unwrap();
        receipt::light::verify_inclusion(&there.header, &key, &value, &there.proof.0).unwrap();
        assert!(
            receipt::light::verify_inclusion(&there.header, &other, &value, &there.proof.0)
                .is_err()
        );
        let absent = node.proof(CHAIN, ProofKey::Account(Address::pool("nobody"))).await.unwrap();
        assert!(!absent.present);
        receipt::light::verify_exclusion(&absent.header, &other, &absent.proof.0).unwrap();
        assert!(receipt::light::verify_exclusion(&absent.header, &key, &absent.proof.0).is_err());
    });
}

#[test]
fn a_chain_is_followed_by_headers_that_anybody_brings() {
    with_network(&plan(&[CHAIN], 4, Latency::none()), |node| async move {
        let network_keys = node.network_keys().clone();
        let mut follower = Follower::new(network_keys.clone(), CHAIN).unwrap();
        let mut told = node.final_headers(CHAIN).unwrap();
        let (first, second) = (told.recv().await.unwrap(), told.recv().await.unwrap());
        for place in 0..first.len() {
            let mut changed = first.clone();
            changed[place] ^= 1 << (place % 8);
            let heard = follower.hear(&changed);
            assert!(matches!(heard, Heard::False(_)), "byte {place}: {heard:?}");
        }
        assert!(matches!(follower.hear(&first[..first.len() - 1]), Heard::False(_)));
        assert_eq!(follower.newest(), None);
        assert!(matches!(follower.hear(&second), Heard::New(_)));
        assert_eq!(follower.hear(&first), Heard::Old, "true, and of no use");
        let newest = follower.newest().unwrap().height;
        assert!(newest.get().is_multiple_of(4));
        let unknown = Follower::new(network_keys.clone(), ChainId::Asia).err();
        assert_eq!(unknown, Some(receipt::Invalid::UnknownChain(ChainId::Asia)));

        // A record counts under a header that is not long over.
        let me = address(&Client::new(&node).key);
        let view = node.proof(CHAIN, ProofKey::Account(me)).await.unwrap();
        let (key, other) = (Key::Account(me), Key::Account(Address::pool("nobody")));
        let shown: Proved<Option<Record>> = view.clone().try_into().unwrap();
        follower.check(&key, &shown).unwrap();
        assert!(follower.newest().unwrap().height >= view.header.height, "it follows this, too");
        assert!(follower.check(&other, &shown).is_err(), "another's record");
        let empty = Proved { record: None, ..shown.clone() };
        assert!(follower.check(&key, &empty).is_err(), "denied, and there");
        let later = types::Height::new(view.header.height.get() + receipt::BEHIND_MAX + 4);
        while follower.newest().unwrap().height < later {
            follower.hear(&told.recv().await.unwrap());
        }
        let behind = follower.check(&key, &shown);
        assert!(matches!(behind, Err(receipt::Invalid::Behind { .. })), "{behind:?}");
    });
}
