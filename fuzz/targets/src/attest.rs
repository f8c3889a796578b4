//! Evidence of hardware: any bytes give a verdict and no panic, and accepted evidence claims what the seed claims.
//!
//! Collateral is that of the seeds, so that mutations of a seed get as far as they can. What stands behind a
//! signature is parsed once more without one, because no fuzzer can sign.

use attestation::{
    Binding, Collateral, Evidence, Technology, TpmQuote, UnixSeconds, parse_unsigned, verify,
};
use serde_bytes::ByteBuf;

/// Collateral and time of the seeds (`fuzz/fixtures/README.md` says where they are from).
const SGX_COLLATERAL: &[u8] = include_bytes!("../../fixtures/sgx_collateral.json");
const TDX_COLLATERAL: &[u8] = include_bytes!("../../fixtures/tdx_collateral.json");
const SNP_VCEK: &[u8] = include_bytes!("../../fixtures/snp_vcek.der");
const CCA_KEY: &[u8] = include_bytes!("../../fixtures/cca_cpak.der");
const INTEL_TIME: UnixSeconds = UnixSeconds::new(1_750_809_600);
const SNP_TIME: UnixSeconds = UnixSeconds::new(1_697_760_000);
const NITRO_TIME: UnixSeconds = UnixSeconds::new(1_736_179_625);
const TPM_TIME: UnixSeconds = UnixSeconds::new(1_795_359_166);

pub(crate) fn sgx(bytes: &[u8]) {
    let collateral = Collateral { dcap: SGX_COLLATERAL.to_vec(), ..Collateral::default() };
    check(Evidence::Sgx { quote: bytes.to_vec() }, &collateral, INTEL_TIME, bytes);
}

pub(crate) fn tdx(bytes: &[u8]) {
    let collateral = Collateral { dcap: TDX_COLLATERAL.to_vec(), ..Collateral::default() };
    check(Evidence::Tdx { quote: bytes.to_vec() }, &collateral, INTEL_TIME, bytes);
}

pub(crate) fn snp(bytes: &[u8]) {
    let certificates = vec![ByteBuf::from(SNP_VCEK)];
    let collateral = Collateral { certificates, ..Collateral::default() };
    check(Evidence::SevSnp { report: bytes.to_vec() }, &collateral, SNP_TIME, bytes);
    // And as the certificate of a report that is all zeros but for what is needed to get there.
    let mut report = vec![0; 1184];
    (report[0], report[0x34]) = (2, 1);
    let collateral = Collateral {
        certificates: bytes.chunks(1_400).map(ByteBuf::from).collect(),
        ..Collateral::default()
    };
    check(Evidence::SevSnp { report }, &collateral, SNP_TIME, bytes);
}

pub(crate) fn nitro(bytes: &[u8]) {
    let none = Collateral::default();
    check(Evidence::Nitro { document: bytes.to_vec() }, &none, NITRO_TIME, bytes);
}

/// Certificates of the lengths that two bytes before each say.
pub(crate) fn android(bytes: &[u8]) {
    let chain = pieces(bytes).into_iter().map(ByteBuf::from).collect();
    check(Evidence::AndroidKey { chain }, &Collateral::default(), INTEL_TIME, bytes);
}

pub(crate) fn apple(bytes: &[u8]) {
    let evidence = Evidence::AppAttest {
        attestation: bytes.to_vec(),
        app_id: "TEAM.org.example.app".into(),
        client_data_hash: vec![7; 32],
    };
    check(evidence, &Collateral::default(), INTEL_TIME, bytes);
}

pub(crate) fn cca(bytes: &[u8]) {
    let collateral = Collateral { platform_key: CCA_KEY.to_vec(), ..Collateral::default() };
    check(Evidence::Cca { token: bytes.to_vec() }, &collateral, INTEL_TIME, bytes);
}

pub(crate) fn psa(bytes: &[u8]) {
    let collateral = Collateral { platform_key: CCA_KEY.to_vec(), ..Collateral::default() };
    check(Evidence::Psa { token: bytes.to_vec() }, &collateral, INTEL_TIME, bytes);
}

/// Packed evidence; or else its parts, of the lengths that two bytes before each say.
pub(crate) fn tpm(bytes: &[u8]) {
    if let Ok(evidence) = Evidence::from_bytes(bytes) {
        assert_eq!(evidence.to_bytes(), bytes, "evidence has one form");
        check(evidence, &Collateral::default(), TPM_TIME, bytes);
    }
    if let Ok(collateral) = Collateral::from_bytes(bytes) {
        let again = Collateral::from_bytes(&collateral.to_bytes());
        assert_eq!(again, Ok(collateral), "collateral reads back");
    }
    let mut parts = pieces(bytes).into_iter();
    let mut next = || parts.next().unwrap_or_default().to_vec();
    let evidence = Evidence::Tpm(TpmQuote {
        attest: next(),
        signature: next(),
        attestation_key: next(),
        pcrs: (0..24).map(|index| (index, ByteBuf::from([0; 32]))).collect(),
        event_log: next(),
        ..TpmQuote::default()
    });
    check(evidence, &Collateral::default(), TPM_TIME, bytes);
}

fn check(evidence: Evidence, collateral: &Collateral, now: UnixSeconds, bytes: &[u8]) {
    let technology = evidence.technology();
    if let Ok(claims) = verify(&evidence, collateral, &Binding::Unchecked, now) {
        assert_eq!(claims.technology(), technology);
        assert!(!claims.is_bound());
        // Bound to what it carries it passes again, and to anything else it does not.
        let carried = Binding::Challenge(claims.binding().to_vec());
        assert!(
            claims.binding().is_empty() || verify(&evidence, collateral, &carried, now).is_ok()
        );
        let other = Binding::Challenge(vec![0xa5; 64]);
        assert!(verify(&evidence, collateral, &other, now).is_err());
    }
    let _ = parse_unsigned(technology, bytes);
    if technology != Technology::Tpm2 && evidence.to_bytes().len() <= 65_536 {
        assert_eq!(Evidence::from_bytes(&evidence.to_bytes()), Ok(evidence));
    }
}

/// Slices of the lengths that two bytes before each say, at most sixteen.
fn pieces(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (piece, rest) = rest.split_at(length);
        pieces.push(piece);
        bytes = rest;
        if pieces.len() == 16 {
            break;
        }
    }
    pieces
}
