//! Verifiers on real evidence, on evidence made here, and on bytes that are none.

mod cases;
mod cca;
mod cose;
mod psa;
