//! Receipts and what a light client reads. A change that the checks do not notice is a finding.

use receipt::{RECEIPT_BYTES_MAX, Receipt, light, verify};
use types::{
    Address, Beacon, ChainId, Hash, Header, Height, List, LogRoot, Millis, PublicKey, Term, Text,
    codec::Bytes,
    network::{ChainKey, NetworkKeys},
    state::Key,
};

/// A receipt file as it is; then once more with its checksum mended, so that mutations reach the checks behind it.
pub(crate) fn receipt(input: &[u8]) {
    assert!(input.len() <= RECEIPT_BYTES_MAX, "the fuzzer keeps inputs short");
    check_receipt(input);
    if let Some(end) = input.len().checked_sub(32) {
        let mut mended = input[..end].to_vec();
        mended.extend_from_slice(&Hash::of_content(&input[..end]).0);
        check_receipt(&mended);
    }
}

fn check_receipt(bytes: &[u8]) {
    let read = Receipt::from_bytes(bytes);
    if let Ok(receipt) = &read {
        let again = receipt.to_bytes();
        let content = bytes.len() - 32;
        assert_eq!(again[..content], bytes[..content], "a receipt has one byte form");
        assert_eq!(again == bytes, Receipt::intact(bytes));
    }
    assert!(verify(bytes, |_| false).is_err(), "a network nobody trusts");
    if let Ok(verified) = verify(bytes, |_| true) {
        assert_eq!(Some(verified.receipt()), read.as_ref().ok());
        assert_eq!(verified.receipt().to_bytes(), bytes);
    }
}

/// Certificates, beacons and proofs. The first byte chooses which.
pub(crate) fn light(input: &[u8]) {
    let Some((kind, bytes)) = input.split_first() else { return };
    let (network_keys, header) = (network_keys(), header());
    match kind % 5 {
        0 => {
            assert!(
                light::verify_certificate(&network_keys, &header, bytes).is_err(),
                "nobody signed it"
            )
        }
        1 => {
            let Some((record, proof)) = bytes.split_at_checked(8) else { return };
            let key = Key::Job(Hash([1; 32]));
            assert!(
                light::verify_inclusion(&header, &key, record, proof).is_err(),
                "the state is empty"
            );
        }
        2 => {
            let key = Key::Account(Address::pool("escrow"));
            assert!(
                light::verify_exclusion(&header, &key, bytes).is_err(),
                "no state has this root"
            );
        }
        3 => {
            let Ok(signature) = Bytes::new(bytes.to_vec()) else { return };
            let beacon = Beacon { height: Height::new(1), term: Term::ZERO, view: 1, signature };
            let scheme =
                light::verifier(&network_keys, ChainId::Europe).expect("the generator is a key");
            assert!(!light::verify_beacon(&scheme, &beacon), "nobody signed it");
        }
        _ => {
            // Any identity: the author of the file makes up the network.
            let Ok(identity) = Bytes::new(bytes.to_vec()) else { return };
            let chains =
                vec![ChainKey { chain: ChainId::Europe, identity, genesis: Hash::default() }];
            let network_keys =
                NetworkKeys { chains: List::new(chains).expect("one"), ..network_keys };
            let _ = light::verify_certificate(&network_keys, &header, &[0; 200]);
        }
    }
}

/// The generator of G2, compressed: a key whose secret is 1, which no mutation signs with by chance.
const GENERATOR: &str = "93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e\
                         024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8";

fn network_keys() -> NetworkKeys {
    let identity = Bytes::new(hex::decode(GENERATOR).expect("hex")).expect("96 bytes");
    let chains = vec![ChainKey { chain: ChainId::Europe, identity, genesis: Hash::default() }];
    NetworkKeys {
        name: Text::default(),
        dev_dealer: false,
        chains: List::new(chains).expect("one"),
    }
}

fn header() -> Header {
    Header {
        chain: ChainId::Europe,
        term: Term::ZERO,
        view: 2,
        leader: PublicKey([7; 32]),
        parent_view: 1,
        parent: Hash([3; 32]),
        height: Height::new(2),
        timestamp: Millis::ZERO,
        body: Hash([4; 32]),
        state_root: Hash([5; 32]),
        state_log: LogRoot::default(),
        outbox: LogRoot::default(),
    }
}
