//! The handshake and its records, byte by byte.

use crate::{connect, identity, peer, responder};
use network::ik::{
    BadIdentity, HandshakeError, Initiator, PeerIdentity, RECORD_PLAIN_MAX, RecordError, Suite,
    Suites,
};

const ALL: [Suites; 3] = [Suites::HybridOnly, Suites::AcceptClassic, Suites::OfferClassic];

#[test]
fn both_sides_agree_on_keys_and_on_who_they_are() {
    for suites in ALL {
        let (mut here, mut there) = connect(suites);
        assert_eq!(here.peer, peer(2));
        assert_eq!(there.peer, peer(1));
        assert_eq!(here.session, there.session);
        let classic = matches!(suites, Suites::OfferClassic);
        assert_eq!(here.suite == Suite::Classic, classic);
        let mut sent = Vec::new();
        here.sealer.seal(b"there", &mut sent);
        assert_eq!(there.opener.open(&mut sent[2..]).unwrap(), b"there");
        sent.clear();
        there.sealer.seal(b"back", &mut sent);
        assert_eq!(here.opener.open(&mut sent[2..]).unwrap(), b"back");
        let (again, _) = connect(suites);
        assert_ne!(again.session, here.session);
    }
}

/// The published implementation reads our classic handshake and our records, key changes included, and we read its.
#[test]
fn the_classic_suite_is_noise_as_snow_speaks_it() {
    let mine = identity(1);
    // The image of identity 2 and its secret, computed from scratch.
    let expanded = <sha2::Sha512 as sha2::Digest>::digest([2; 32]);
    let secret: [u8; 32] = expanded[..32].try_into().unwrap();
    let (initiator, first) = Initiator::new(&mine, Suites::OfferClassic, b"test", peer(2));
    let mut snow = snow::Builder::with_resolver(
        "Noise_IK_25519_ChaChaPoly_SHA256".parse().unwrap(),
        Box::new(snow::resolvers::DefaultResolver),
    )
    .local_private_key(&secret)
    .unwrap()
    .prologue(b"/meshx/ik/1\x00test")
    .unwrap()
    .build_responder()
    .unwrap();
    assert_eq!(first[..4], *b"MX\x01\x00");
    let mut payload = [0; 1_024];
    let length = snow.read_message(&first[4..], &mut payload).unwrap();
    assert_eq!(payload[..32], mine.public());
    assert_eq!(length, 96);
    let image: [u8; 32] = *snow_public(&secret);
    let key = crypto::SigningKey::from_seed(&[2; 32]);
    let mut answer = [0; 1_024];
    let length = snow.write_message(&key.sign("meshx/ik/1", &image), &mut answer).unwrap();
    let mut here = initiator.finish(&answer[..length]).unwrap();
    let mut snow = snow.into_transport_mode().unwrap();

    let mut out = [0; 100];
    for round in 0..3_u8 {
        let mut sent = Vec::new();
        here.sealer.change_key(&mut sent);
        here.sealer.seal(&[round; 10], &mut sent);
        assert_eq!(snow.read_message(&sent[2..18], &mut out).unwrap(), 0);
        snow.rekey_incoming();
        assert_eq!(snow.read_message(&sent[20..], &mut out).unwrap(), 10);
        assert_eq!(out[..10], [round; 10]);

        let length = snow.write_message(&[], &mut out).unwrap();
        snow.rekey_outgoing();
        assert_eq!(here.opener.open(&mut out[..length]).unwrap(), b"");
        let length = snow.write_message(&[round; 20], &mut out).unwrap();
        assert_eq!(here.opener.open(&mut out[..length]).unwrap(), [round; 20]);
    }
}

fn snow_public(secret: &[u8; 32]) -> Box<[u8; 32]> {
    Box::new(curve25519_dalek::MontgomeryPoint::mul_base_clamped(*secret).to_bytes())
}

#[test]
fn whoever_replays_a_first_message_is_nobody() {
    let (initiator, first) = Initiator::new(&identity(1), Suites::default(), b"test", peer(2));
    let node = responder(2, Suites::default());
    let (answer, mut there) = node.read(&first).unwrap().answer();
    let mut here = initiator.finish(&answer).unwrap();
    let mut confirmation = Vec::new();
    here.sealer.change_key(&mut confirmation);
    let recorded = confirmation.clone();
    there.opener.confirm(&mut confirmation[2..]).unwrap();

    // All that was on the wire, once more.
    let (answer_again, mut again) = node.read(&first).unwrap().answer();
    assert_ne!(answer, answer_again);
    assert_eq!(again.opener.confirm(&mut recorded[2..].to_vec()), Err(RecordError::NotOpened));
}

#[test]
fn data_before_the_confirmation_is_refused() {
    let (initiator, first) = Initiator::new(&identity(1), Suites::default(), b"test", peer(2));
    let (answer, mut there) = responder(2, Suites::default()).read(&first).unwrap().answer();
    let mut here = initiator.finish(&answer).unwrap();
    let mut early = Vec::new();
    here.sealer.seal(b"pay me", &mut early);
    assert_eq!(there.opener.confirm(&mut early[2..]), Err(RecordError::Unconfirmed));
}

#[test]
fn another_key_another_network_and_another_suite_do_not_open() {
    let opened = |suites, namespace: &[u8], to, change: fn(&mut Vec<u8>)| {
        let (_, mut first) = Initiator::new(&identity(1), suites, namespace, peer(to));
        change(&mut first);
        responder(2, suites).read(&first).map(|incoming| incoming.claimed())
    };
    for suites in ALL {
        assert_eq!(opened(suites, b"test", 2, |_| {}), Ok(peer(1)));
        assert_eq!(opened(suites, b"test", 3, |_| {}), Err(HandshakeError::NotOpened));
        assert_eq!(opened(suites, b"else", 2, |_| {}), Err(HandshakeError::NotOpened));
    }
    // Nobody on the way makes a hybrid handshake a classic one.
    let suites = Suites::AcceptClassic;
    let downgraded = opened(suites, b"test", 2, |first| first[3] = 0);
    assert_eq!(downgraded, Err(HandshakeError::NotOpened));
    assert_eq!(
        opened(suites, b"test", 2, |first| first[3] = 7),
        Err(HandshakeError::UnknownSuite(7))
    );
    assert_eq!(
        opened(suites, b"test", 2, |first| *first = b"GET / HTTP/1.1\r\n".to_vec()),
        Err(HandshakeError::NotMeshx(*b"GET"))
    );
    let (_, classic) = Initiator::new(&identity(1), Suites::OfferClassic, b"test", peer(2));
    let refused = responder(2, Suites::HybridOnly).read(&classic).map(|_| ());
    assert_eq!(refused, Err(HandshakeError::ClassicRefused));
}

#[test]
fn an_identity_is_one_point_with_one_name() {
    // The point of order 1, one of order 8, one's own with a point of order 2 added, and bytes that are none.
    let mut one = [0; 32];
    one[0] = 1;
    assert_eq!(PeerIdentity::new(one), Err(BadIdentity::Torsion));
    for torsion in &curve25519_dalek::constants::EIGHT_TORSION[1..] {
        assert_eq!(PeerIdentity::new(torsion.compress().0), Err(BadIdentity::Torsion));
        let point = curve25519_dalek::edwards::CompressedEdwardsY(identity(1).public());
        let mixed = (point.decompress().unwrap() + torsion).compress().0;
        assert_eq!(PeerIdentity::new(mixed), Err(BadIdentity::Torsion));
    }
    let none = (0..=255)
        .map(|byte| [byte; 32])
        .find(|bytes| curve25519_dalek::edwards::CompressedEdwardsY(*bytes).decompress().is_none());
    assert_eq!(PeerIdentity::new(none.unwrap()), Err(BadIdentity::NoPoint));
}

/// An identity and its negative have one X25519 image: only the binding tells them apart.
#[test]
fn the_negative_of_an_identity_is_not_that_identity() {
    let point = curve25519_dalek::edwards::CompressedEdwardsY(identity(2).public());
    let negative = (-point.decompress().unwrap()).compress().0;
    assert_ne!(negative, identity(2).public());
    let negative = PeerIdentity::new(negative).unwrap();
    let (initiator, first) = Initiator::new(&identity(1), Suites::default(), b"test", negative);
    let (answer, _) = responder(2, Suites::default()).read(&first).unwrap().answer();
    assert_eq!(initiator.finish(&answer).map(|_| ()), Err(HandshakeError::NotItsIdentity));
}

#[test]
fn no_bit_of_a_handshake_can_be_changed_and_no_byte_left_out() {
    for suites in [Suites::HybridOnly, Suites::OfferClassic] {
        let node = responder(2, suites);
        let (_, first) = Initiator::new(&identity(1), suites, b"test", peer(2));
        for place in 0..first.len() {
            let mut changed = first.clone();
            changed[place] ^= 1 << (place % 8);
            assert!(node.read(&changed).is_err(), "byte {place} of the first message");
            assert!(node.read(&first[..place]).is_err(), "the first {place} bytes");
        }
        assert!(node.read(&[&first[..], &[0]].concat()).is_err(), "one byte more");
        assert!(node.read(&vec![b'M'; 70_000]).is_err());

        let answered = |change: &dyn Fn(&mut Vec<u8>)| {
            let (initiator, first) = Initiator::new(&identity(1), suites, b"test", peer(2));
            let (mut answer, _) = node.read(&first).unwrap().answer();
            change(&mut answer);
            initiator.finish(&answer).is_ok()
        };
        assert!(answered(&|_| {}));
        let (_, first) = Initiator::new(&identity(1), suites, b"test", peer(2));
        let length = node.read(&first).unwrap().answer().0.len();
        for place in (0..length).step_by(7).chain(length - 112..length) {
            assert!(!answered(&|answer| answer[place] ^= 0x40), "byte {place} of the answer");
            assert!(!answered(&|answer| answer.truncate(place)), "{place} bytes of the answer");
        }
        assert!(!answered(&|answer| answer.push(0)));
    }
}

#[test]
fn records_open_once_in_order_and_unchanged() {
    let seal = || {
        let (mut here, there) = connect(Suites::default());
        let records: Vec<Vec<u8>> = (0..3_u8)
            .map(|index| {
                let mut record = Vec::new();
                here.sealer.seal(&[index; 40], &mut record);
                record.split_off(2)
            })
            .collect();
        (there.opener, records)
    };
    let (mut opener, mut records) = seal();
    for (index, record) in records.iter_mut().enumerate() {
        assert_eq!(opener.open(record).unwrap(), [u8::try_from(index).unwrap(); 40]);
    }
    let (mut opener, mut records) = seal();
    assert_eq!(opener.open(&mut records[1]), Err(RecordError::NotOpened));
    let (mut opener, mut records) = seal();
    let again = records[0].clone();
    opener.open(&mut records[0]).unwrap();
    assert_eq!(opener.open(&mut again.clone()), Err(RecordError::NotOpened));
    for place in 0..56 {
        let (mut opener, mut records) = seal();
        records[0][place] ^= 1;
        assert_eq!(opener.open(&mut records[0]), Err(RecordError::NotOpened), "byte {place}");
    }
    let (mut opener, records) = seal();
    assert_eq!(opener.open(&mut records[0][..15].to_vec()), Err(RecordError::Short));
}

#[test]
fn keys_change_by_themselves_after_64_mebibytes() {
    let (mut here, mut there) = connect(Suites::default());
    let plain = vec![7; RECORD_PLAIN_MAX];
    let (mut changes, mut carried) = (0, 0_usize);
    while carried < 130 << 20 {
        let mut sent = Vec::new();
        here.sealer.seal(&plain, &mut sent);
        carried += plain.len();
        let mut rest = &mut sent[..];
        while !rest.is_empty() {
            let (header, after) = rest.split_at_mut(2);
            let length = usize::from(u16::from_be_bytes([header[0], header[1]]));
            let (record, after) = after.split_at_mut(length);
            changes += usize::from(there.opener.open(record).unwrap().is_empty());
            rest = after;
        }
    }
    assert_eq!(changes, 2);
}
