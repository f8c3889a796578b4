//! Android and Apple: real evidence, and chains forged here that are wrong in one place each.

mod cases;
mod forge;

mod android;
mod apple;
