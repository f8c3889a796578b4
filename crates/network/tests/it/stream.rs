//! Encrypted streams over pipes that cut where they like.

use crate::{identity, peer, responder};
use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, FutureExt as _};
use network::ik::{HandshakeError, Stream, Suites};
use proptest::prelude::*;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};

/// A pipe that gives and takes at most `1 + step % 5000` bytes at a time.
struct Cutting(Compat<tokio::io::DuplexStream>, usize);

impl Cutting {
    fn room(&mut self) -> usize {
        self.1 = self.1.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        1 + (self.1 >> 33) % 5_000
    }
}

impl AsyncRead for Cutting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let room = self.room().min(out.len());
        Pin::new(&mut self.0).poll_read(context, &mut out[..room])
    }
}

impl AsyncWrite for Cutting {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let room = self.room().min(bytes.len());
        Pin::new(&mut self.0).poll_write(context, &bytes[..room])
    }
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }
    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(context)
    }
}

async fn pair(seed: usize) -> (Stream<Cutting>, Stream<Cutting>) {
    let (here, there) = tokio::io::duplex(70_000);
    let (here, there) = (Cutting(here.compat(), seed), Cutting(there.compat(), seed + 1));
    let node = responder(2, Suites::default());
    let me = identity(1);
    let dialling = Stream::initiate(here, &me, Suites::default(), b"test", peer(2));
    let (here, there) = futures::join!(dialling, Stream::respond(there, &node));
    (here.unwrap(), there.unwrap())
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn what_is_written_in_any_pieces_is_read_in_any_pieces(
        pieces in prop::collection::vec((0_usize..200_000, any::<bool>()), 1..8),
        read_at_once in 1_usize..100_000,
        seed in any::<u32>(),
    ) {
        run(async {
            let (mut here, mut there) = pair(seed as usize).await;
            assert_eq!((here.peer(), there.peer()), (peer(2), peer(1)));
            let all: Vec<u8> = (0..pieces.iter().map(|(length, _)| length).sum::<usize>())
                .map(|index| u8::try_from(index * 31 % 251).unwrap())
                .collect();
            let writing = async {
                let mut rest = &all[..];
                for (length, flush) in &pieces {
                    let (now, later) = rest.split_at(*length);
                    here.write_all(now).await.unwrap();
                    if *flush {
                        here.flush().await.unwrap();
                    }
                    rest = later;
                }
                here.close().await.unwrap();
            };
            let reading = async {
                let (mut got, mut buffer) = (Vec::new(), vec![0; read_at_once]);
                loop {
                    let read = there.read(&mut buffer).await.unwrap();
                    if read == 0 {
                        return got;
                    }
                    got.extend_from_slice(&buffer[..read]);
                }
            };
            let ((), got) = futures::join!(writing, reading);
            assert!(got == all, "{} bytes of {}", got.len(), all.len());
        });
    }
}

#[test]
fn a_stream_that_is_cut_inside_a_record_says_so() {
    run(async {
        let (mut here, there) = tokio::io::duplex(70_000);
        let node = responder(2, Suites::default());
        let me = identity(1);
        let cut = async {
            let mut here = (&mut here).compat();
            let mut stream = Stream::initiate(&mut here, &me, Suites::default(), b"test", peer(2))
                .await
                .unwrap();
            stream.write_all(b"whole").await.unwrap();
            stream.flush().await.unwrap();
            drop(stream);
            here.write_all(&[0, 200, 1, 2, 3]).await.unwrap();
            here.close().await.unwrap();
        };
        let read = async {
            let mut there = Stream::respond(there.compat(), &node).await.unwrap();
            let mut got = [0; 5];
            there.read_exact(&mut got).await.unwrap();
            assert_eq!(&got, b"whole");
            there.read(&mut got).await.unwrap_err().kind()
        };
        assert_eq!(futures::join!(cut, read).1, io::ErrorKind::UnexpectedEof);
    });
}

#[test]
fn whoever_sends_something_else_is_told_from_its_first_bytes() {
    run(async {
        for (sent, expected) in [
            (&b"\x00\x10GET / HTTP/1.1\r\n"[..], HandshakeError::NotMeshx(*b"GET")),
            (&b"GET / HTTP/1.1\r\n"[..], HandshakeError::Length),
            (&b"\x00\x00"[..], HandshakeError::Length),
        ] {
            let (mut here, there) = tokio::io::duplex(1_000);
            tokio::io::AsyncWriteExt::write_all(&mut here, sent).await.unwrap();
            let node = responder(2, Suites::default());
            let error = Stream::respond(there.compat(), &node).await.map(|_| ()).unwrap_err();
            let inner = error.into_inner().unwrap().downcast::<HandshakeError>().unwrap();
            assert_eq!(*inner, expected);
        }
    });
}

#[test]
fn nothing_is_reported_before_the_confirmation() {
    run(async {
        let (mut here, there) = tokio::io::duplex(10_000);
        let (_, first) =
            network::ik::Initiator::new(&identity(1), Suites::default(), b"test", peer(2));
        let length = u16::try_from(first.len()).unwrap().to_be_bytes();
        let replayed = [&length[..], &first].concat();
        tokio::io::AsyncWriteExt::write_all(&mut here, &replayed).await.unwrap();
        let node = responder(2, Suites::default());
        let mut responding = Box::pin(Stream::respond(there.compat(), &node));
        for _ in 0..100 {
            assert!((&mut responding).now_or_never().is_none(), "a replayer is connected");
            tokio::task::yield_now().await;
        }
        drop(here);
        assert!(responding.await.is_err());
    });
}
