//! Whole networks in one process, spoken to as the API speaks to them.

mod mesh;
mod support;
