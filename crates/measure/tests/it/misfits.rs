//! Witnesses that say nothing, nonsense, or not enough: a certificate is made without them, in time.

use crate::world::{ATTEND, Claimant, EUROPE, Reports, World, honest};
use measure::{NotProved, ProveSettings, Stage, ToProver, Why, prove};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    net::UdpSocket,
    time::Instant,
};
use types::{ChainId, Signature, codec::Encode as _, presence::Minimum};

const FRANKFURT: &str = "50.10,8.60";

fn framed(message: &ToProver) -> Vec<u8> {
    let message = message.encode();
    let length = u16::try_from(message.len()).unwrap();
    [&length.to_be_bytes()[..], &message].concat()
}

fn session(id: u8) -> Vec<u8> {
    let key = measure::SessionKey([1; 32]);
    framed(&ToProver::Session { id: [id; 8], key, udp: None })
}

/// Say these bytes, then nothing more, and hold the channel open.
fn says(bytes: Vec<u8>) -> DuplexStream {
    let (near, mut far) = tokio::io::duplex(4_096);
    tokio::spawn(async move {
        far.write_all(&bytes).await.unwrap();
        let mut heard = Vec::new();
        let _ = far.read_to_end(&mut heard).await;
    });
    near
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn misfits_keep_nobody_waiting() {
    let world = World::new(&EUROPE[..9]);
    let claimant = Claimant::new(&world, FRANKFURT, ChainId::Europe);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let request = claimant.request(&world, Some(socket.local_addr().unwrap()));
    let reports = Reports::default();
    let peer = claimant.claim.prover;
    let forged = Minimum { witness: 6, rtt_us: 1, signature: Signature([7; 64]) };
    let connect = |index, _| {
        let channel = match index {
            1 => None,
            2 => Some(says(vec![])),
            3 => Some(says(vec![0, 5, 9, 9, 9, 9, 9])),
            4 => Some(says(session(4))),
            5 => Some(says([session(5), framed(&ToProver::Probed)].concat())),
            6 => Some(says([session(6), framed(&ToProver::Measured { minimum: forged })].concat())),
            7 => Some(says(vec![0xff; 4_000])),
            8 => Some(says(framed(&ToProver::refused("not today")))),
            _ => Some(honest(&world, index, peer, ATTEND, &reports)),
        };
        async move { channel.ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionRefused)) }
    };
    // Longer than an honest witness takes on a busy machine.
    let settings =
        ProveSettings { probing: Duration::from_secs(3), deadline: Duration::from_secs(4) };
    let began = Instant::now();
    let proved = prove(request, &claimant.key, socket, connect, &settings).await.unwrap();
    assert!(began.elapsed() < settings.deadline + Duration::from_secs(2), "{:?}", began.elapsed());
    let witnesses: Vec<u16> = proved.certificate.minima.iter().map(|said| said.witness).collect();
    assert_eq!(witnesses, [0]);
    let shown: Vec<String> =
        proved.silent.iter().map(|(index, why)| format!("{index}: {why}")).collect();
    assert_eq!(
        shown,
        [
            "1: not reached: connection refused",
            "2: it was still Asking at the deadline",
            "3: a message cannot be decoded",
            "4: it was still Probing at the deadline",
            "5: its challenges did not arrive",
            "6: a message came out of turn",
            "7: a message of 65535 bytes is too long; at most 512 are allowed",
            "8: refused: not today",
        ]
    );
    assert!(matches!(proved.silent[1].1, Why::TooLate(Stage::Asking)));
    let verdict = presence::verify(&proved.certificate, &world.params, &world.tables()).unwrap();
    assert_eq!(verdict.measured, 1, "the certificate is whole, if of little worth");
}

#[tokio::test]
async fn without_any_witness_there_is_no_certificate() {
    let world = World::new(&EUROPE[..2]);
    let claimant = Claimant::new(&world, FRANKFURT, ChainId::Europe);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let request = claimant.request(&world, None);
    let settings =
        ProveSettings { probing: Duration::from_millis(50), deadline: Duration::from_millis(100) };
    let connect = |_, _| async { Ok(says(session(1))) };
    let proved = prove(request, &claimant.key, socket, connect, &settings).await;
    let Err(NotProved::Nobody { silent }) = proved else { panic!("{proved:?}") };
    let shown: Vec<String> = silent.iter().map(|(_, why)| why.to_string()).collect();
    // Both name their session alike; the first has it.
    assert!(shown.iter().any(|why| why == "it was still Probing at the deadline"), "{shown:?}");
    assert!(shown.iter().any(|why| why.contains("uses the session name of another")), "{shown:?}");
}
