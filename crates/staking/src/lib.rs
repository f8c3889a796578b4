//! Put money behind a validator, and take it away from one that lies.
mod refusal;
mod wide;
pub use refusal::Refusal;
