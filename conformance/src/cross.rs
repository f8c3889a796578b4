//! Present a sample as every other technology: all of them must refuse it.

use attestation::{Evidence, Reject, Technology, TpmQuote};
use serde_bytes::ByteBuf;

use crate::case::Inputs;

/// What every other technology says to the sample's bytes. Collateral, time and roots stay those of
/// the sample; the roots are the vendors'.
#[must_use]
pub fn cross_feed(inputs: &Inputs) -> Vec<(Technology, Result<(), Reject>)> {
    let bytes = main_bytes(&inputs.evidence);
    Technology::ALL
        .into_iter()
        .filter(|technology| *technology != inputs.evidence.technology())
        .map(|technology| {
            let mut trial = inputs.clone();
            trial.trust_roots = attestation::TrustRoots::Vendors;
            trial.evidence = present(&bytes, technology);
            (technology, trial.verify().map(|_| ()))
        })
        .collect()
}

/// The bytes that are the evidence of each technology.
fn main_bytes(evidence: &Evidence) -> Vec<u8> {
    match evidence {
        Evidence::Sgx { quote } | Evidence::Tdx { quote } => quote.clone(),
        Evidence::SevSnp { report } => report.clone(),
        Evidence::Nitro { document } => document.clone(),
        Evidence::AndroidKey { chain } => chain.first().map(|der| der.to_vec()).unwrap_or_default(),
        Evidence::AppAttest { attestation, .. } => attestation.clone(),
        Evidence::Cca { token } | Evidence::Psa { token } => token.clone(),
        Evidence::Tpm(quote) => quote.attest.clone(),
    }
}

fn present(bytes: &[u8], technology: Technology) -> Evidence {
    let bytes = bytes.to_vec();
    match technology {
        Technology::IntelSgx => Evidence::Sgx { quote: bytes },
        Technology::IntelTdx => Evidence::Tdx { quote: bytes },
        Technology::AmdSevSnp => Evidence::SevSnp { report: bytes },
        Technology::AwsNitro => Evidence::Nitro { document: bytes },
        Technology::AndroidKeyAttestation => {
            Evidence::AndroidKey { chain: vec![ByteBuf::from(bytes); 3] }
        }
        Technology::AppleAppAttest => Evidence::AppAttest {
            attestation: bytes,
            app_id: "TEAM.example".into(),
            client_data_hash: vec![0; 32],
        },
        Technology::ArmCca => Evidence::Cca { token: bytes },
        Technology::ArmPsa => Evidence::Psa { token: bytes },
        Technology::Tpm2 => Evidence::Tpm(TpmQuote {
            attest: bytes.clone(),
            signature: bytes.clone(),
            attestation_key: bytes,
            ..TpmQuote::default()
        }),
    }
}
