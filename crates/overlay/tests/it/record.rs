//! Records: what is signed is what is read.

use crypto::SigningKey;
use overlay::{BadRecord, PeerRecord, Role, Roles};
use types::{ChainId, Hash, Millis, PublicKey};

const HOUR: u64 = 60 * 60 * 1_000;

fn record(issued: u64) -> (PeerRecord, Vec<u8>) {
    let key = SigningKey::from_seed(&[1; 32]);
    let record = PeerRecord {
        identity: PublicKey(key.public()),
        network: Hash([9; 32]),
        roles: Roles::default().with(Role::Aggregator).with(Role::Relay),
        chain: ChainId::Africa,
        cell: "-33.9,18.4".parse().ok(),
        issued: Millis::new(issued),
        addresses: vec![
            "/ip4/192.0.2.1/tcp/8800".parse().unwrap(),
            "/ip6/2001:db8::1/tcp/8800".parse().unwrap(),
        ],
    };
    let bytes = record.sign(&key);
    (record, bytes)
}

fn open(bytes: &[u8], now: u64) -> Result<PeerRecord, BadRecord> {
    PeerRecord::open(bytes, Hash([9; 32]), Millis::new(now))
}

#[test]
fn a_record_is_read_as_it_was_signed() {
    let (record, bytes) = record(10 * HOUR);
    assert_eq!(open(&bytes, 10 * HOUR), Ok(record.clone()));
    assert_eq!(open(&bytes, 12 * HOUR), Ok(record.clone()));
    assert_eq!(open(&bytes, 12 * HOUR + 1), Err(BadRecord::Age));
    assert_eq!(open(&bytes, 10 * HOUR - HOUR), Err(BadRecord::Age));
    let elsewhere = PeerRecord::open(&bytes, Hash([8; 32]), Millis::new(10 * HOUR));
    assert_eq!(elsewhere, Err(BadRecord::OtherNetwork));
    assert_eq!(record.roles.iter().collect::<Vec<_>>(), [Role::Aggregator, Role::Relay]);
}

#[test]
fn no_byte_of_a_record_can_be_changed_and_none_left_out() {
    let (_, bytes) = record(HOUR);
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << (place % 8);
        assert!(open(&changed, HOUR).is_err(), "byte {place}");
        assert!(open(&bytes[..place], HOUR).is_err(), "{place} bytes");
    }
    assert!(open(&[&bytes[..], &[0]].concat(), HOUR).is_err());
    assert!(open(&vec![1; 100_000], HOUR).is_err());
}

#[test]
fn a_record_in_another_name_is_refused() {
    let (record, _) = record(HOUR);
    let forged = record.sign(&SigningKey::from_seed(&[2; 32]));
    assert_eq!(open(&forged, HOUR), Err(BadRecord::Signature));
}
