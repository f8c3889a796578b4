//! `meshx-lab` as its users type it.

mod econ;
mod presence;
mod support;
