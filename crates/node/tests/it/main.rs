//! Whole networks in one process, spoken to as the API speaks to them.

mod committees;
mod mesh;
mod support;
