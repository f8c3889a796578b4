//! Event logs: replayed, they must give the quoted registers.

use std::collections::BTreeMap;

use attestation::{Binding, Claims, Collateral, Details, Evidence, Reject, UnixSeconds};
use ring::digest::{SHA256, digest};
use serde_bytes::ByteBuf;

use crate::{cases::Xorshift, cose::Key, tpm_quote::Attest};

const EV_NO_ACTION: u32 = 3;
const EV_EFI_ACTION: u32 = 0x8000_0007;
const SHA1: u16 = 4;
const SHA256_ID: u16 = 11;

/// A log as firmware writes it, and the SHA-256 registers it leads to.
#[derive(Clone)]
struct Log {
    bytes: Vec<u8>,
    registers: BTreeMap<u8, Vec<u8>>,
}

impl Log {
    fn new() -> Self {
        Self { bytes: header(&[(SHA1, 20), (SHA256_ID, 32)], &[]), registers: BTreeMap::new() }
    }

    /// PCR 0 begins with the locality it was started from.
    fn started_from(mut self, locality: u8) -> Self {
        let data = [&b"StartupLocality\0"[..], &[locality]].concat();
        self.bytes.extend(event(0, EV_NO_ACTION, &[0; 32], &data));
        self.registers.insert(0, [&[0; 31][..], &[locality]].concat());
        self
    }

    fn extended(mut self, register: u8, data: &[u8]) -> Self {
        let measured = digest(&SHA256, data);
        self.bytes.extend(event(u32::from(register), EV_EFI_ACTION, measured.as_ref(), data));
        let value = self.registers.entry(register).or_insert_with(|| vec![0; 32]);
        *value = digest(&SHA256, &[value.as_slice(), measured.as_ref()].concat()).as_ref().to_vec();
        self
    }

    fn with(&self, more: &[u8]) -> Vec<u8> {
        [&self.bytes, more].concat()
    }
}

/// The first event: `TCG_EfiSpecIdEvent` in the old form.
fn header(algorithms: &[(u16, u16)], vendor: &[u8]) -> Vec<u8> {
    let mut event = b"Spec ID Event03\0".to_vec();
    event.extend([0, 0, 0, 0, 0, 2, 0, 2]);
    event.extend(u32::try_from(algorithms.len()).expect("few").to_le_bytes());
    for (algorithm, size) in algorithms {
        event.extend(algorithm.to_le_bytes());
        event.extend(size.to_le_bytes());
    }
    event.push(u8::try_from(vendor.len()).expect("short"));
    event.extend(vendor);
    let mut bytes = [0_u32.to_le_bytes(), EV_NO_ACTION.to_le_bytes()].concat();
    bytes.extend([0; 20]);
    bytes.extend(u32::try_from(event.len()).expect("short").to_le_bytes());
    bytes.extend(event);
    bytes
}

fn event(register: u32, kind: u32, sha256: &[u8], data: &[u8]) -> Vec<u8> {
    event_with(register, kind, &[(SHA1, &[0; 20]), (SHA256_ID, sha256)], data)
}

fn event_with(register: u32, kind: u32, digests: &[(u16, &[u8])], data: &[u8]) -> Vec<u8> {
    let mut bytes = [register.to_le_bytes(), kind.to_le_bytes()].concat();
    bytes.extend(u32::try_from(digests.len()).expect("few").to_le_bytes());
    for (algorithm, digest) in digests {
        bytes.extend(algorithm.to_le_bytes());
        bytes.extend(*digest);
    }
    bytes.extend(u32::try_from(data.len()).expect("short").to_le_bytes());
    bytes.extend(data);
    bytes
}

/// A boot: locality 3, firmware, a boot loader, a worker.
fn boot() -> Log {
    Log::new()
        .started_from(3)
        .extended(0, b"firmware")
        .extended(4, b"boot loader")
        .extended(4, b"kernel")
        .extended(16, b"worker")
}

/// Quote these registers, and explain them with this log.
fn judge(log: &[u8], registers: &BTreeMap<u8, Vec<u8>>) -> Result<Claims, Reject> {
    let mut quote = Attest::of(registers).signed(&Key::p256(), registers);
    quote.event_log = log.to_vec();
    verify(quote)
}

fn verify(quote: attestation::TpmQuote) -> Result<Claims, Reject> {
    let collateral = Collateral::default();
    let now = UnixSeconds::new(0);
    attestation::verify(&Evidence::Tpm(quote), &collateral, &Binding::Unchecked, now)
}

fn events(result: &Result<Claims, Reject>) -> Option<u32> {
    match result.as_ref().expect("it is accepted").details() {
        Details::Tpm(details) => details.events,
        _ => panic!("it is a TPM's"),
    }
}

fn code(result: &Result<Claims, Reject>) -> &'static str {
    result.as_ref().map_or_else(Reject::code, |_| "accept")
}

#[test]
fn a_log_explains_the_registers() {
    let log = boot();
    assert_eq!(events(&judge(&log.bytes, &log.registers)), Some(4));
    assert_eq!(events(&judge(&[], &log.registers)), None, "there may be none");
    let plain = Log::new().extended(0, b"firmware");
    assert_eq!(events(&judge(&plain.bytes, &plain.registers)), Some(1));
    let signed = header(&[(SHA1, 20), (SHA256_ID, 32)], b"vendor");
    assert_eq!(events(&judge(&signed, &plain.registers)), Some(0), "a header alone");
}

#[test]
fn events_of_registers_that_are_not_quoted_do_not_count() {
    let log = boot();
    let mut quoted = log.registers.clone();
    quoted.remove(&4);
    assert_eq!(events(&judge(&log.bytes, &quoted)), Some(2));
}

#[test]
fn every_change_of_what_was_measured_shows() {
    let log = boot();
    let mismatch = Reject::Mismatch { what: "the event log", other: "the quoted registers" };
    let refused = |other: &Log| {
        assert_eq!(judge(&other.bytes, &log.registers), Err(mismatch.clone()));
    };
    refused(&boot().extended(16, b"another worker"));
    refused(&boot().extended(0, b""));
    refused(&Log::new().extended(4, b"kernel").extended(4, b"boot loader"));
    refused(&Log::new().extended(0, b"firmware"));
    refused(&Log::new().started_from(4).extended(0, b"firmware"));
    // Only the beginning of register 0 can be stated, and only there.
    let elsewhere = event(4, EV_NO_ACTION, &[0; 32], b"StartupLocality\0\x03");
    let head = Log::new();
    let told = [head.with(&elsewhere), boot().bytes[head.bytes.len() + 89..].to_vec()].concat();
    assert_eq!(judge(&told, &log.registers), Err(mismatch.clone()));
    let late = Log::new().extended(0, b"firmware").started_from(3);
    refused(&late);
}

#[test]
fn logs_of_another_form_are_refused() {
    let log = boot();
    let judge = |bytes: &[u8]| code(&judge(bytes, &log.registers));
    let headed = |algorithms: &[(u16, u16)]| {
        let old = header(&[(SHA1, 20), (SHA256_ID, 32)], &[]).len();
        judge(&[&header(algorithms, &[])[..], &log.bytes[old..]].concat())
    };
    assert_eq!(headed(&[(SHA1, 20), (SHA256_ID, 32)]), "accept");
    assert_eq!(headed(&[]), "malformed", "no algorithm");
    assert_eq!(headed(&[(SHA1, 20)]), "malformed", "not the one that events use");
    assert_eq!(headed(&[(SHA1, 21), (SHA256_ID, 32)]), "malformed", "a wrong length");
    assert_eq!(headed(&[(SHA1, 20), (SHA256_ID, 31)]), "malformed", "a wrong length");
    assert_eq!(headed(&[(SHA1, 20), (SHA256_ID, 32), (SHA1, 20)]), "malformed", "twice");
    assert_eq!(headed(&[(SHA1, 20), (SHA256_ID, 32), (99, 65_535)]), "accept", "one more, unused");

    let more = |event: Vec<u8>| judge(&log.with(&event));
    let digest: &[u8] = &[9; 32];
    assert_eq!(more(event(23, EV_EFI_ACTION, digest, b"")), "accept", "it is not quoted");
    assert_eq!(more(event(24, EV_EFI_ACTION, digest, b"")), "malformed", "no such register");
    assert_eq!(more(event(u32::MAX, EV_NO_ACTION, digest, b"")), "accept", "it extends nothing");
    let digests = |digests: &[(u16, &[u8])]| more(event_with(16, EV_EFI_ACTION, digests, b""));
    assert_eq!(digests(&[(SHA1, &[0; 20])]), "malformed", "none of the quoted bank");
    assert_eq!(digests(&[(SHA256_ID, digest), (SHA256_ID, digest)]), "malformed");
    assert_eq!(digests(&[(12, &[0; 48]), (SHA256_ID, digest)]), "malformed", "not in the header");
    assert_eq!(digests(&[(SHA256_ID, digest); 9]), "malformed", "too many");
    let mut endless = event(16, EV_EFI_ACTION, digest, b"");
    let at = endless.len() - 4;
    endless[at..].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(more(endless), "malformed", "longer than the log");
    // The form before TPM 2.0 has events like the header's, with SHA-1 only.
    assert_eq!(judge(&log.bytes[4..]), "malformed");
}

#[test]
fn logs_with_too_many_events_are_refused() {
    // No data, one digest: 46 bytes an event, so that the evidence may hold so many at all.
    let head = header(&[(SHA256_ID, 32)], &[]);
    let one = event_with(23, EV_EFI_ACTION, &[(SHA256_ID, &[9; 32])], b"");
    let registers = [(0, vec![0; 32])].into();
    let judge = |count: usize| code(&judge(&[&head[..], &one.repeat(count)].concat(), &registers));
    assert_eq!(judge(1_300), "accept");
    assert_eq!(judge(1_500), "malformed", "longer than evidence may be");
}

#[test]
fn damaged_logs_are_refused() {
    let log = boot();
    let key = Key::p256();
    let mut quote = Attest::of(&log.registers).signed(&key, &log.registers);
    let mut judge = |bytes: &[u8]| {
        quote.event_log = bytes.to_vec();
        verify(quote.clone())
    };
    // A log may end where it has explained some registers to their end, and then says so.
    let accepted: Vec<_> = (1..log.bytes.len())
        .map(|length| judge(&log.bytes[..length]))
        .filter(Result::is_ok)
        .map(|result| events(&result))
        .collect();
    assert_eq!(accepted, [Some(0), Some(1), Some(3)], "the header; register 0; and register 4");
    for last in [0, 0xff] {
        assert_eq!(code(&judge(&log.with(&[last]))), "malformed");
    }
    let mut random = Xorshift(0x2545_f491_4f6c_dd1d);
    for _ in 0..1_000 {
        let mut bytes = log.bytes.clone();
        for _ in 0..=random.below(6) {
            let at = random.below(bytes.len());
            bytes[at] = random.byte();
        }
        let _: Result<Claims, Reject> = judge(&bytes);
    }
}

#[test]
fn one_bit_of_a_digest_shows() {
    let log = boot();
    let key = Key::p256();
    let quote = Attest::of(&log.registers).signed(&key, &log.registers);
    let mut free = 0;
    for at in 0..log.bytes.len() {
        let mut trial = quote.clone();
        trial.event_log = log.bytes.clone();
        trial.event_log[at] ^= 1 << (at % 8);
        match verify(trial) {
            // What the event's data say, its type and its SHA-1 digest are not compared with anything.
            Ok(claims) => {
                assert_eq!(claims.measurement(), verify(quote.clone()).expect("it").measurement());
                free += 1;
            }
            Err(reject) => assert!(matches!(reject.code(), "malformed" | "mismatch"), "{reject}"),
        }
    }
    let covered = log.bytes.len() - free;
    assert!(covered >= 4 * 32, "{covered} of {} bytes are covered", log.bytes.len());
}

#[test]
fn the_quoted_bank_is_the_one_replayed() {
    // The same log, quoted in the bank of SHA-384: it has no digests for that.
    let log = boot();
    let registers: BTreeMap<u8, Vec<u8>> = [(16, vec![0; 48])].into();
    let mut attest = Attest::of(&registers);
    attest.banks[0].0 = 12;
    let mut quote = attest.signed(&Key::p256(), &registers);
    quote.pcrs.insert(16, ByteBuf::from(vec![0; 48]));
    quote.event_log = log.bytes.clone();
    assert_eq!(code(&verify(quote.clone())), "malformed");
    let registers: BTreeMap<u8, Vec<u8>> = [(16, vec![0; 20])].into();
    let mut attest = Attest::of(&registers);
    attest.banks[0].0 = 4;
    let mut quote = attest.signed(&Key::p256(), &registers);
    quote.event_log = log.bytes;
    assert_eq!(code(&verify(quote)), "unsupported", "SHA-1");
}
