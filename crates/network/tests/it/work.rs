//! A busy responder: a peer that does the work is let in, and nobody else costs it a handshake.

use crypto::SigningKey;
use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use network::ik::{
    HandshakeError, Identity, PUZZLE_BITS_MAX, PeerIdentity, Responder, Stream, Suites,
};
use tokio_util::compat::TokioAsyncReadCompatExt as _;

const NAMESPACE: &[u8] = b"work";

fn identity(seed: u8) -> Identity {
    Identity::new(&SigningKey::from_seed(&[seed; 32]))
}

fn responder() -> Responder {
    Responder { me: identity(2), suites: Suites::AcceptClassic, namespace: NAMESPACE.to_vec() }
}

fn reason(error: &std::io::Error) -> Option<&HandshakeError> {
    error.get_ref()?.downcast_ref()
}

#[tokio::test]
async fn whoever_works_is_let_in() {
    for (suites, bits) in
        [(Suites::HybridOnly, 1), (Suites::OfferClassic, 12), (Suites::HybridOnly, 12)]
    {
        let (here, there) = tokio::io::duplex(4_096);
        let peer = PeerIdentity::new(identity(2).public()).unwrap();
        let (me, responder) = (identity(1), responder());
        let (dialled, accepted) = futures::join!(
            Stream::initiate(here.compat(), &me, suites, NAMESPACE, peer),
            Stream::respond_to_work(there.compat(), &responder, bits),
        );
        let (mut dialled, mut accepted) = (dialled.unwrap(), accepted.unwrap());
        assert_eq!(accepted.peer().public(), identity(1).public());
        dialled.write_all(b"hello").await.unwrap();
        dialled.flush().await.unwrap();
        let mut hello = [0; 5];
        accepted.read_exact(&mut hello).await.unwrap();
        assert_eq!(&hello, b"hello");
    }
}

/// What a dialler sends, in front of each its length; and the frame that comes back.
async fn answer_to(frames: &[Vec<u8>], bits: u8) -> (Option<Vec<u8>>, std::io::Error) {
    let (here, there) = tokio::io::duplex(16_384);
    let (mut here, responder) = (here.compat(), responder());
    for frame in frames {
        let length = u16::try_from(frame.len()).unwrap().to_be_bytes();
        here.write_all(&[&length, &frame[..]].concat()).await.unwrap();
    }
    here.close().await.unwrap();
    let error =
        Stream::respond_to_work(there.compat(), &responder, bits).await.map(drop).unwrap_err();
    let mut all = Vec::new();
    here.read_to_end(&mut all).await.unwrap();
    (all.get(2..).map(<[u8]>::to_vec), error)
}

#[tokio::test]
async fn nothing_is_looked_at_before_the_work_is_done() {
    // Not even whether it is a handshake.
    let garbage = vec![0xab; 1_300];
    for nonce in [vec![], vec![0; 7], vec![0; 9], vec![0; 1_500]] {
        let (puzzle, error) = answer_to(&[garbage.clone(), nonce], 18).await;
        assert_eq!(reason(&error), Some(&HandshakeError::NoWork));
        let puzzle = puzzle.unwrap();
        assert_eq!((&puzzle[..4], puzzle.len()), (&[b'M', b'X', b'?', 18][..], 36));
    }
    let (first, _) = answer_to(&[garbage.clone(), vec![0; 8]], 18).await;
    let (second, _) = answer_to(&[garbage.clone(), vec![0; 8]], 18).await;
    assert_ne!(first, second, "each connection has work of its own");
    // More is never asked for than anybody would do.
    let (puzzle, _) = answer_to(&[garbage, vec![0; 8]], 200).await;
    assert_eq!(puzzle.unwrap()[3], PUZZLE_BITS_MAX);
}

#[tokio::test]
async fn nobody_works_for_ever_for_whom_it_dials() {
    let (here, there) = tokio::io::duplex(16_384);
    let (mut there, me) = (there.compat(), identity(1));
    let peer = PeerIdentity::new(identity(2).public()).unwrap();
    let mut puzzle = vec![0, 36, b'M', b'X', b'?', PUZZLE_BITS_MAX + 1];
    puzzle.extend([7; 32]);
    there.write_all(&puzzle).await.unwrap();
    let dialled =
        Stream::initiate(here.compat(), &me, Suites::HybridOnly, NAMESPACE, peer).await.map(drop);
    let too_much = HandshakeError::TooMuchWork(PUZZLE_BITS_MAX + 1);
    assert_eq!(reason(&dialled.unwrap_err()), Some(&too_much));
}
