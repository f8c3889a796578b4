//! The chain seen from outside: the same blocks through `apply_block` and through a second, naive
//! implementation of the rules; and stake, emission and slashing under random orders.

mod attest;
mod committees;
mod economy;
mod gas;
mod memory;
mod model;
mod presence;
