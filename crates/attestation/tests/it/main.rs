//! Verifiers on real evidence, on evidence made here, and on bytes that are none.

mod cases;
mod cca;
mod certificate;
mod cose;
mod event_log;
mod phones;
mod psa;
mod tpm;
mod tpm_quote;
