//! What somebody on the way sees: a proxy that keeps every byte of every connection.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// Bytes of one connection: from the side that dialled, and back.
#[derive(Clone, Default)]
pub struct Recorded {
    pub there: Vec<u8>,
    pub back: Vec<u8>,
}

/// A wire to one port of this machine.
pub struct Wire {
    pub port: u16,
    all: Arc<Mutex<Vec<Recorded>>>,
}

impl Wire {
    pub fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let all: Arc<Mutex<Vec<Recorded>>> = Arc::default();
        let kept = all.clone();
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(("127.0.0.1", target)) else { continue };
                let index = {
                    let mut all = kept.lock().unwrap();
                    all.push(Recorded::default());
                    all.len() - 1
                };
                let ends = [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)];
                for (back, (mut from, mut to)) in ends.into_iter().enumerate() {
                    let kept = kept.clone();
                    thread::spawn(move || {
                        let mut buffer = vec![0; 65_536];
                        while let Ok(read @ 1..) = from.read(&mut buffer) {
                            let recorded = &mut kept.lock().unwrap()[index];
                            let side =
                                if back == 0 { &mut recorded.there } else { &mut recorded.back };
                            side.extend_from_slice(&buffer[..read]);
                            if to.write_all(&buffer[..read]).is_err() {
                                break;
                            }
                        }
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
            }
        });
        Self { port, all }
    }

    /// All connections so far.
    pub fn recorded(&self) -> Vec<Recorded> {
        self.all.lock().unwrap().clone()
    }
}

impl Recorded {
    /// Whether it begins with the two messages of a hybrid Noise IK handshake (the second may be still to come), and goes
    /// on in records: a length, and so many bytes, to the last byte there is.
    pub fn is_noise_ik(&self) -> bool {
        let opening = self.there.get(2..6) == Some(b"MX\x01\x01");
        // A hybrid first message: 4 bytes, e, s and its tag, identity, binding, ML-KEM key, tag.
        let first = frame(&self.there).map(<[u8]>::len) == Some(4 + 32 + 48 + 32 + 64 + 1_184 + 16);
        // The answer: ML-KEM ciphertext, e, binding, tag.
        let answer = frame(&self.back).map(<[u8]>::len) == Some(1_088 + 32 + 64 + 16)
            || self.back.is_empty();
        opening && first && answer && is_frames(&self.there) && is_frames(&self.back)
    }

    pub fn holds(&self, bytes: &[u8]) -> bool {
        [&self.there, &self.back]
            .iter()
            .any(|side| side.windows(bytes.len()).any(|window| window == bytes))
    }
}

fn frame(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.get(..usize::from(u16::from_be_bytes(*length)))
}

fn is_frames(mut bytes: &[u8]) -> bool {
    while let Some(whole) = frame(bytes) {
        bytes = &bytes[2 + whole.len()..];
    }
    // What is left is a record still on its way.
    bytes.len() < 65_537
}
